/** Sources: what is known of them, how they are configured, whether they answer, what would make them better. */
import { queryOptions, useMutation } from "@tanstack/react-query";

import { api } from "@/lib/api";

import { CONFIG_KEY, POLL_MS, SOURCES_KEY, SUGGESTIONS_KEY, useRefresh } from "./nas-keys";
import type { RunStatus } from "./runs-api";

export interface Source {
  name: string;
  type: string;
  /** What kind of archive it is recognised as. */
  content: "dicom" | "jpeg2000_firebird" | "mixed" | "unknown";
  pictures: number;
  location: string;
  configured: boolean;
  enabled: boolean;
  online: boolean;
  offline_reason: string;
  last_run: RunStatus | null;
  last_complete: string | null;
  files: number;
  series: number;
  size_bytes: number;
}

export const SOURCE_TYPES = ["local", "smb", "sftp", "list"] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

/** What stands for a secret in every answer; sent back, the secret stays as it is. */
export const KEPT = "***";

/** Where the database of an archive of JPEG 2000 pictures is, and what its columns mean. */
export interface FirebirdConfig {
  database: string;
  host: string;
  port: number;
  username: string;
  password: string;
  role: string;
  charset: string;
  table?: string | null;
  query: string;
  columns: Record<string, string>;
  path_prefix: string;
  defaults: Record<string, string>;
}

/** One source as it is configured; the names are those of the sites' own configuration files. */
export interface SourceConfig {
  name: string;
  enabled: boolean;
  type: SourceType;
  host: string;
  port: number | null;
  share: string;
  username: string;
  password: string;
  domain: string;
  path: string;
  timeout: number;
  retry_attempts: number;
  retry_delay: number;
  connection_pool_size: number;
  enumeration_method: "auto" | "sequential" | "parallel" | "list";
  max_workers: number;
  chunk_size: number;
  performance_mode: "gentle" | "balanced" | "fast";
  encryption: "" | "if_offered" | "required" | "off";
  private_key_path: string;
  host_fingerprint: string;
  remote_commands: "auto" | "off";
  firebird: Partial<FirebirdConfig> | null;
}

/** What a connection test found. */
export interface Tested {
  ok: boolean;
  error_type: string;
  error_code: string;
  message: string;
  suggestion: string;
  latency_ms: number | null;
  throughput_mb_s: number | null;
  encrypted: boolean | null;
  files_sampled: number;
  workers: number;
}

export interface Suggestion {
  title: string;
  detail: string;
  source?: string | null;
  setting?: string | null;
  value?: string | number | null;
}

interface Config {
  sources: SourceConfig[];
}

export const sourcesQuery = queryOptions({
  queryKey: SOURCES_KEY,
  queryFn: ({ signal }) => api.get<{ items: Source[]; total: number }>("/api/index/sources", { signal }),
  // A run may be started by someone else, or on the command line.
  refetchInterval: ({ state }) => (state.data?.items.some(({ last_run }) => last_run?.running === true) === true ? POLL_MS : 15_000),
});

export const configQuery = queryOptions({
  queryKey: CONFIG_KEY,
  queryFn: ({ signal }) => api.get<Config>("/api/nas/config", { signal }),
});

export const suggestionsQuery = queryOptions({
  queryKey: SUGGESTIONS_KEY,
  queryFn: ({ signal }) => api.get<{ suggestions: Suggestion[] }>("/api/nas/suggestions", { signal }),
});

/** By name a configured source or an allowed folder; or a configuration that is not saved yet. */
export function useTestSource() {
  const refresh = useRefresh(SUGGESTIONS_KEY, SOURCES_KEY);
  return useMutation({
    mutationFn: (meant: { source: string } | { config: SourceConfig }) => api.post<Tested>("/api/nas/test", meant),
    onSuccess: refresh,
  });
}

/** Changes the list of sources: reads it afresh, so that what another admin did a moment ago is not lost, and writes it back whole. */
export function useConfigure() {
  const refresh = useRefresh(CONFIG_KEY, SOURCES_KEY, SUGGESTIONS_KEY);
  return useMutation({
    mutationFn: async (change: (sources: SourceConfig[]) => SourceConfig[]) => {
      const { sources } = await api.get<Config>("/api/nas/config");
      return api.put<Config>("/api/nas/config", { sources: change(sources) });
    },
    onSuccess: refresh,
  });
}
