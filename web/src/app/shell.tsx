/** The frame around every page: brand, places, account. */
import { Burger, Drawer, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, useEffect, useRef } from "react";
import { Link, NavLink, Outlet, ScrollRestoration, useLocation, useNavigation } from "react-router";

import { Logo } from "@/components/logo";
import { LoadingRows } from "@/components/states";
import { SchemeMenu, UserMenu } from "@/features/session/user-menu";
import { useMe } from "@/lib/session/use-session";

import classes from "./shell.module.css";

/** Later places (viewer) get their line here. `clinic`: for people of a clinic alone. */
const PLACES: readonly { to: string; label: string; capability: string | null; clinic?: boolean }[] = [
  { to: "/cases", label: "Cases", capability: "cases.read" },
  { to: "/nas", label: "NAS index", capability: "index.search" },
  { to: "/shares", label: "Links", capability: "share.create" },
  { to: "/imaging", label: "Pictures", capability: "imaging.read", clinic: true },
  { to: "/admin/cases", label: "Manage cases", capability: "cases.admin" },
  { to: "/admin/imports", label: "Imports", capability: "cases.admin" },
  { to: "/admin/audit", label: "Audit", capability: "audit.read" },
  { to: "/docs", label: "API", capability: null },
];

/** A screen reader and the Tab key start at the new page, as after a real page load; the first page is left alone. */
function useFocusOnNewPage() {
  const { pathname } = useLocation();
  const page = useRef<HTMLElement>(null);
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    page.current?.focus({ preventScroll: true });
  }, [pathname]);
  return page;
}

export function Shell() {
  const me = useMe();
  const navigation = useNavigation();
  const [opened, { toggle, close }] = useDisclosure(false);
  const page = useFocusOnNewPage();
  if (me === null) return null;
  const places = PLACES.filter(
    ({ capability, clinic = false }) => (capability === null || me.capabilities.includes(capability)) && (!clinic || me.clinic !== null),
  );
  return (
    <>
      <a href="#page" className="rr-skip">
        Skip to the page
      </a>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
          <Link to="/cases" className={classes.brand}>
            <Logo size={26} />
            <Text component="span" inherit>
              Reading Room
            </Text>
          </Link>
          <nav className={classes.places} aria-label="Main">
            {places.map(({ to, label }) => (
              <NavLink key={to} to={to} className={classes.place}>
                {label}
              </NavLink>
            ))}
          </nav>
          <Group gap={4} ms="auto" wrap="nowrap">
            <SchemeMenu />
            <UserMenu me={me} />
          </Group>
        </div>
      </header>
      <Drawer opened={opened} onClose={close} size="xs" title="Reading Room" hiddenFrom="sm" closeButtonProps={{ "aria-label": "Close" }}>
        <Stack component="nav" gap={4} aria-label="Main">
          {places.map(({ to, label }) => (
            <NavLink key={to} to={to} className={classes.line} onClick={close}>
              {label}
            </NavLink>
          ))}
        </Stack>
      </Drawer>
      <main id="page" ref={page} className={classes.page} tabIndex={-1} aria-busy={navigation.state === "loading"}>
        <Suspense fallback={<LoadingRows />}>
          <Outlet />
        </Suspense>
      </main>
      <ScrollRestoration />
    </>
  );
}
