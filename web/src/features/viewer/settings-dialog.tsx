/** How fast the wheel goes, what draws, and what the browser may keep of images that were looked at. */
import { ActionIcon, Button, Group, Modal, Select, Slider, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { IconAdjustmentsHorizontal, IconTrash } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";

import { notifyDone, notifyFailed } from "@/components/notify";
import { bytes, plural } from "@/lib/format";
import type { Brush } from "@/lib/cornerstone/types";
import type { CacheSettings, FrameLoader } from "@/lib/frames/types";

import { useDesk } from "./desk";
import { usePreferences } from "./use-preferences";
import { SENSITIVITY_LEAST, SENSITIVITY_MOST } from "./wheel";

const GB = 1_000_000_000;
const BUDGETS = [0, GB / 2, GB, 2 * GB, 5 * GB, 10 * GB];
const HOURS = [1, 8, 24, 72, 168];

export function SettingsButton({ children }: { children?: (open: () => void) => ReactNode }) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      {children?.(open) ?? (
        <Tooltip label="Settings">
          <ActionIcon variant="subtle" color="gray" size="lg" onClick={open} aria-label="Settings of the viewer">
            <IconAdjustmentsHorizontal size={19} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      )}
      <Modal opened={opened} onClose={close} title="Settings of the viewer">
        {opened && <Settings />}
      </Modal>
    </>
  );
}

function Settings() {
  return (
    <Stack gap="lg">
      <Stack gap={6}>
        <Text size="sm" fw={550} id="wheel-label">
          Mouse wheel
        </Text>
        <SensitivitySlider labelledBy="wheel-label" />
        <Text size="xs" c="dimmed" mt="md">
          How many images one notch of the wheel goes on.
        </Text>
      </Stack>
      <DrawnBy />
      <Store />
      <Text size="xs" c="dimmed">
        This viewer is no medical device. Read findings for treatment on a diagnostic workstation.
      </Text>
    </Stack>
  );
}

export function SensitivitySlider({ labelledBy, bare = false }: { labelledBy: string; bare?: boolean }) {
  const [{ sensitivity }, change] = usePreferences();
  return (
    <Slider
      min={SENSITIVITY_LEAST}
      max={SENSITIVITY_MOST}
      step={0.25}
      value={sensitivity}
      onChange={(value) => change({ sensitivity: value })}
      label={(value) => `${value}×`}
      {...(bare ? { size: "sm" } : { marks: [0.5, 1, 2, 3].map((value) => ({ value, label: `${value}×` })) })}
      thumbProps={{ "aria-labelledby": labelledBy }}
      mx="xs"
    />
  );
}

const BRUSHES: { value: Brush; label: string }[] = [
  { value: "auto", label: "Chosen by itself" },
  { value: "graphics", label: "Graphics card" },
  { value: "processor", label: "Processor" },
];

function DrawnBy() {
  const [{ brush }, change] = usePreferences();
  return (
    <Select
      label="Images are drawn by"
      description="By itself: the processor, and the graphics card for large images and those that need it."
      data={BRUSHES}
      value={brush}
      onChange={(value) => change({ brush: BRUSHES.find((each) => each.value === value)?.value ?? "auto" })}
      allowDeselect={false}
    />
  );
}

/** Images on this computer: how many at most, for how long, and away with them. */
function Store() {
  const { loader } = useDesk();
  const [settings, setSettings] = useState(() => ({ ...loader.settings }));
  const [stats, setStats] = useState(() => loader.stats());
  const wipe = useMutation({
    mutationFn: () => loader.wipe(),
    onSuccess: () => {
      setStats(loader.stats());
      notifyDone("Images removed", "Nothing of them is kept on this computer.");
    },
    onError: (error) => notifyFailed("The images were not removed", error),
  });
  function keep(change: Partial<typeof settings>) {
    const next = { ...settings, ...change };
    setCache(loader, next);
    setSettings(next);
  }
  if (!stats.canKeep) {
    return (
      <Text size="sm" c="dimmed">
        This browser keeps nothing here, as in a private window: each visit loads the images anew.
      </Text>
    );
  }
  return (
    <Stack gap="sm">
      <Text size="sm">
        {stats.cachedSeries === 0
          ? "No images are kept on this computer."
          : `${plural(stats.cachedSeries, "series", "series")} (${bytes(stats.cachedBytes)}) are kept on this computer, for whoever is signed in now.`}
      </Text>
      <Group grow align="flex-start">
        <Select
          label="Keep at most"
          data={optionsOf(BUDGETS, settings.budgetBytes, (value) => (value === 0 ? "Nothing" : bytes(value)))}
          value={String(settings.budgetBytes)}
          onChange={(value) => value !== null && keep({ budgetBytes: Number(value) })}
          allowDeselect={false}
        />
        <Select
          label="For at most"
          data={optionsOf(HOURS, settings.keepHours, (value) => (value < 48 ? plural(value, "hour") : plural(value / 24, "day")))}
          value={String(settings.keepHours)}
          onChange={(value) => value !== null && keep({ keepHours: Number(value) })}
          allowDeselect={false}
        />
      </Group>
      <Group>
        <Button variant="default" leftSection={<IconTrash size={16} aria-hidden />} loading={wipe.isPending} onClick={() => wipe.mutate()}>
          Remove the images now
        </Button>
      </Group>
    </Stack>
  );
}

function setCache(loader: FrameLoader, settings: CacheSettings): void {
  loader.settings = settings;
}

/** The choices, and between them what is set now. */
function optionsOf(choices: readonly number[], now: number, words: (value: number) => string) {
  const values = [...new Set([...choices, now])].sort((one, other) => one - other);
  return values.map((value) => ({ value: String(value), label: words(value) }));
}
