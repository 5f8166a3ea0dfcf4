/** What is checked in every file, and the room rule: app → features → lib and components, features never each other. */
import { readdirSync } from "node:fs";

import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = readdirSync(new URL("./src/features", import.meta.url));

/** Forbids imports by pattern in some files; a way up (`../`) is forbidden everywhere, so that every import between rooms is visible. */
function room(files, forbidden) {
  return {
    files,
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          patterns: [
            { group: ["../*", "..", "./*/../*"], message: "Between folders, import by '@/…'." },
            ...forbidden,
            ...(files.some((each) => each.includes("/lib/cornerstone/")) ? [] : [cornerstone]),
          ],
        },
      ],
    },
  };
}

const cornerstone = {
  group: ["@cornerstonejs/*", "dicom-parser", "@kitware/*"],
  message: "Only lib/cornerstone knows Cornerstone; its types.ts is what the others see.",
};
const app = { group: ["@/app", "@/app/*"], message: "app/ stands above: nothing below imports it." };
const anyFeature = { group: ["@/features/*"], message: "lib/ and components/ are shared: they know no feature." };

export default tseslint.config(
  { ignores: ["dist/", "node_modules/"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // An event handler may be async: React drops the promise, our mutations report their own errors.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "no-console": "error",
    },
  },
  { files: ["src/**/*.{ts,tsx}"], ...reactHooks.configs.flat["recommended-latest"] },
  room(["src/*.{ts,tsx}", "src/app/**/*.{ts,tsx}"], []),
  room(["src/lib/**/*.{ts,tsx}"], [app, anyFeature, { group: ["@/components/*"], message: "lib/ has no look." }]),
  room(["src/lib/cornerstone/**/*.ts"], [app, anyFeature, { group: ["@/components/*"], message: "lib/ has no look." }]),
  room(["src/components/**/*.{ts,tsx}"], [app, anyFeature]),
  ...features.map((name) =>
    room(
      [`src/features/${name}/**/*.{ts,tsx}`],
      [
        app,
        {
          group: ["@/features/*", `!@/features/${name}`],
          message: "Features do not import each other: app/ puts them together, lib/ holds what they share.",
        },
      ],
    ),
  ),
  { files: ["public/**/*.js"], languageOptions: { globals: { document: "readonly", localStorage: "readonly", matchMedia: "readonly" } } },
  { files: ["eslint.config.js"], languageOptions: { globals: { URL: "readonly" } } },
);
