/** A password that the server keeps and never shows: typing replaces it, "Forget it" takes it away. */
import { Anchor, PasswordInput } from "@mantine/core";
import type { ReactNode } from "react";

/** What is typed, and whether one is kept at the server as long as nothing is typed. */
export interface Secret {
  typed: string;
  isKept: boolean;
}

interface SecretFieldProps {
  label: string;
  value: Secret;
  onChange: (value: Secret) => void;
  error?: ReactNode;
  description?: ReactNode;
  "data-path"?: string;
}

export function SecretField({ label, value, onChange, error, description, "data-path": path }: SecretFieldProps) {
  const isKept = value.isKept && value.typed === "";
  return (
    <PasswordInput
      label={label}
      value={value.typed}
      onChange={(event) => onChange({ ...value, typed: event.currentTarget.value })}
      placeholder={isKept ? "Unchanged" : undefined}
      error={error}
      data-path={path}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ "aria-label": `Show what is typed as ${label.toLowerCase()}` }}
      description={
        isKept ? (
          <>
            One is kept.{" "}
            <Anchor component="button" type="button" fz="inherit" onClick={() => onChange({ typed: "", isKept: false })}>
              Forget it
            </Anchor>
          </>
        ) : (
          description
        )
      }
      inputWrapperOrder={["label", "input", "description", "error"]}
    />
  );
}
