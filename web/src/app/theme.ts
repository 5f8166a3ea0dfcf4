/** The look: paper and petrol by day, a dimmed reading room by night. Type: Newsreader, IBM Plex Sans, IBM Plex Mono. */
import {
  Badge,
  Button,
  Card,
  Checkbox,
  Chip,
  createTheme,
  defaultVariantColorsResolver,
  Modal,
  Paper,
  Tooltip,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from "@mantine/core";

const petrol: MantineColorsTuple = [
  "#e8f5f3", "#cfe7e4", "#a5d3ce", "#7fc6bf", "#62b9b1", "#3f9f97", "#22837c", "#13675f", "#0f534d", "#0a3e3a",
];

/** Warm paper greys for the light side. */
const gray: MantineColorsTuple = [
  "#f8f8f5", "#f2f2ed", "#e8e9e3", "#dadcd5", "#c4c8c1", "#98a09b", "#5d6663", "#475150", "#313a39", "#1d2524",
];

/** Graphite with a breath of green for the dark side: never pure black, never pure white, kind to adapted eyes. */
const dark: MantineColorsTuple = [
  "#d5dddc", "#b9c4c3", "#95a3a3", "#849393", "#334043", "#273234", "#192123", "#101617", "#0b1011", "#070a0b",
];

const moss: MantineColorsTuple = [
  "#edf6ec", "#d9ebd7", "#b5d8b2", "#94c990", "#79b974", "#559a50", "#3c7f38", "#2c6a29", "#22551f", "#173d15",
];

const brick: MantineColorsTuple = [
  "#fcefec", "#f7dcd6", "#eeb9ae", "#ea9c8d", "#e58773", "#d0604a", "#b84a35", "#9c3a27", "#7f2e1f", "#5d2116",
];

const amber: MantineColorsTuple = [
  "#fdf5e3", "#f8e8c3", "#f0d28c", "#e9bf5c", "#e0ad3a", "#c08c1c", "#936a10", "#7a560a", "#614406", "#463104",
];

/** Text on a filled colour: white on the deep shade of the day, ink on the pale shade of the night. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const resolved = defaultVariantColorsResolver(input);
  return input.variant === "filled" ? { ...resolved, color: "var(--rr-on-filled)" } : resolved;
};

export const theme = createTheme({
  primaryColor: "petrol",
  primaryShade: { light: 7, dark: 3 },
  variantColorResolver,
  colors: { petrol, gray, dark, green: moss, red: brick, yellow: amber },
  white: "#ffffff",
  black: "#1d2524",
  defaultRadius: "md",
  respectReducedMotion: true,
  cursorType: "pointer",
  focusRing: "auto",
  fontFamily: "'IBM Plex Sans Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'IBM Plex Mono', ui-monospace, monospace",
  headings: {
    fontFamily: "'Newsreader Variable', Georgia, serif",
    fontWeight: "500",
    sizes: {
      h1: { fontSize: "2rem", lineHeight: "1.18" },
      h2: { fontSize: "1.45rem", lineHeight: "1.25" },
      h3: { fontSize: "1.18rem", lineHeight: "1.3" },
    },
  },
  components: {
    Button: Button.extend({ defaultProps: { fw: 550 } }),
    Card: Card.extend({ defaultProps: { withBorder: true, padding: "lg" } }),
    Paper: Paper.extend({ defaultProps: { withBorder: true } }),
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 550, fz: "xs" } }),
    Tooltip: Tooltip.extend({ defaultProps: { events: { hover: true, focus: true, touch: true }, withArrow: true } }),
    Checkbox: Checkbox.extend({ defaultProps: { iconColor: "var(--rr-on-filled)" } }),
    // Named, so that its writing takes the colour that goes on the filled one.
    Chip: Chip.extend({ defaultProps: { color: "petrol" } }),
    Modal: Modal.extend({
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.5, blur: 2 }, closeButtonProps: { "aria-label": "Close" } },
    }),
  },
});

/** Tinted backgrounds at night: a breath of the colour over the surface, its pale shade as text. */
function tinted(colors: Record<string, MantineColorsTuple>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(colors).flatMap(([name, shades]) => [
      [`--mantine-color-${name}-light`, `color-mix(in srgb, ${shades[4]} 17%, transparent)`],
      [`--mantine-color-${name}-light-hover`, `color-mix(in srgb, ${shades[4]} 25%, transparent)`],
      [`--mantine-color-${name}-light-color`, shades[2]],
    ]),
  );
}

/** Colours of our own that both schemes name alike; used by the style sheets as var(--rr-…). */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: { "--rr-content-width": "76rem" },
  light: {
    "--mantine-color-body": "#f5f5f0",
    "--mantine-color-text": gray[9],
    "--mantine-color-dimmed": gray[6],
    "--mantine-color-placeholder": gray[6],
    "--mantine-color-default-border": gray[3],
    "--mantine-color-error": brick[7],
    "--mantine-color-anchor": petrol[7],
    "--rr-on-filled": "#ffffff",
    "--rr-surface": "#ffffff",
    "--rr-surface-raised": "#ffffff",
    "--rr-line": gray[2],
    "--rr-hover": "#eef3f0",
    "--rr-checked": petrol[0],
    "--rr-ink-soft": gray[6],
    "--rr-label-ink": petrol[8],
    "--rr-good": moss[7],
    "--rr-bad": brick[7],
    "--rr-shadow": "0 10px 34px rgb(29 37 36 / 0.16), 0 2px 6px rgb(29 37 36 / 0.08)",
  },
  dark: {
    "--mantine-color-body": dark[7],
    "--mantine-color-text": dark[0],
    "--mantine-color-dimmed": dark[2],
    "--mantine-color-placeholder": dark[3],
    "--mantine-color-default-border": "#2c383a",
    "--mantine-color-error": brick[3],
    "--mantine-color-anchor": petrol[3],
    ...tinted({ petrol, green: moss, red: brick, yellow: amber, gray }),
    "--mantine-primary-color-contrast": "#0a1a19",
    "--rr-on-filled": "#0a1a19",
    "--rr-surface": "#161d1f",
    "--rr-surface-raised": "#1d2628",
    "--rr-line": "#242e30",
    "--rr-hover": "#1b2426",
    "--rr-checked": "#16292a",
    "--rr-ink-soft": dark[2],
    "--rr-label-ink": petrol[3],
    "--rr-good": moss[3],
    "--rr-bad": brick[3],
    "--rr-shadow": "0 12px 40px rgb(0 0 0 / 0.55), 0 0 0 1px rgb(255 255 255 / 0.05)",
  },
});
