/** The frame around every page: brand, places, account. */
import { Burger, Drawer, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, useEffect, useRef, type ReactNode } from "react";
import { Link, NavLink, Outlet, ScrollRestoration, useLocation, useNavigation } from "react-router";

import { placesOf } from "@/app/places";
import { Logo } from "@/components/logo";
import { LoadingRows } from "@/components/states";
import { SchemeMenu, UserMenu } from "@/features/session/user-menu";
import { useMe } from "@/lib/session/use-session";

import classes from "./shell.module.css";

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

/** Around the page of the route below it, or around `children`. */
export function Shell({ children }: { children?: ReactNode }) {
  const me = useMe();
  const navigation = useNavigation();
  const [opened, { toggle, close }] = useDisclosure(false);
  const page = useFocusOnNewPage();
  if (me === null) return null;
  const places = placesOf(me);
  return (
    <>
      <a href="#page" className="rr-skip">
        Skip to the page
      </a>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
          <Link to="/" className={classes.brand}>
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
          {children ?? <Outlet />}
        </Suspense>
      </main>
      <ScrollRestoration />
    </>
  );
}
