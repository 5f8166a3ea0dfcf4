/** What the viewer's parts tell each other about series and frames. No part of Cornerstone is named here. */

/** Which series: the study must be the one that the series belongs to. */
export interface SeriesRef {
  studyUid: string;
  seriesUid: string;
}

/** How the bytes of a frame are packed as sent. */
export type Encoding = "raw" | "jpeg" | "jpegll" | "jpls" | "jp2" | "htj2k" | "rle";

export type Point = readonly [x: number, y: number, z: number];

/** What is known of one frame's pixels as delivered, and how to show them. */
export interface FrameDescription {
  rows: number;
  columns: number;
  samplesPerPixel: number;
  photometricInterpretation: string;
  planarConfiguration: number | null;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  pixelRepresentation: number;
  /** Millimetres between rows, between columns; null when the header says nothing. */
  pixelSpacing: readonly [row: number, column: number] | null;
  /** "detector": measured at the detector, so lengths in the patient are shorter; null: no spacing. */
  spacingIs: "patient" | "detector" | null;
  pixelAspectRatio: readonly [row: number, column: number] | null;
  imageOrientationPatient: readonly number[] | null;
  sliceThickness: number | null;
  spacingBetweenSlices: number | null;
  slope: number | null;
  intercept: number | null;
  rescaleType: string | null;
  windowCenter: readonly number[];
  windowWidth: readonly number[];
  windowExplanation: readonly string[];
  voiLutFunction: string | null;
  /** Milliseconds from one frame to the next of a film. */
  frameTime: number | null;
  transferSyntaxUid: string;
  encoding: Encoding;
  /** Length as sent. */
  bytes: number;
  smallest: number | null;
  largest: number | null;
  lossy: boolean;
  burnedIn: boolean;
  /** Factor from the stored value to the standardised uptake value, where the header tells enough. */
  suv: number | null;
  /** Place of the modality lookup table in `luts`; slope and intercept say nothing then. */
  modalityLut: number | null;
  /** Places of the VOI lookup tables in `luts`: the first is how the picture is shown at first, the others are choices. */
  voiLuts: readonly number[];
  /** Why a table of the file is not among them, in words for a person. */
  lutLeftOut: string | null;
}

/** A lookup table of a header (PS3.3 C.11.1 and C.11.2) as it is sent. */
export interface PackedLut {
  kind: "modality" | "voi";
  /** The value that its first entry stands for. */
  first: number;
  /** Entries are from 0 to 2^bits − 1. */
  bits: number;
  count: number;
  /** Base64 of `count` little-endian words of 16 bits. */
  data: string;
  explanation: string;
  /** What the values of a modality table are, such as "HU"; empty when nothing is said. */
  type: string;
}

/** Frames that belong together: same orientation and size, in display order. */
export interface FrameGroup {
  name: string;
  from: number;
  count: number;
}

/** All that is needed to show a series but its pixels; columns are indexed by display order. */
export interface Manifest {
  version: string;
  seriesUid: string;
  studyUid: string;
  modality: string;
  seriesNumber: number | null;
  seriesDescription: string;
  place: "orthanc" | "nas" | "copy";
  patient: { name: string; id: string; birthDate: string; sex: string };
  study: { date: string; time: string; description: string; institution: string };
  frameCount: number;
  groups: FrameGroup[];
  instances: { uid: string[]; handle: string[]; number: (number | null)[] };
  /** What holds of every frame that has no value of its own. */
  defaults: Partial<FrameDescription>;
  frames: FrameColumns;
  /** Lookup tables that frames name by their place; left out where there is none. */
  luts?: PackedLut[];
  /** Instances without a picture that can be shown, and why, in words for a person. */
  unshown: { instance: number; reason: string }[];
}

export type FrameColumns = {
  /** Index into `instances`. */
  instance: number[];
  /** One-based number of the frame in its instance; left out when all are 1. */
  frameNumber?: number[];
  position?: (Point | null)[];
} & { [K in keyof FrameDescription]?: FrameDescription[K][] };

/** One frame as `describe()` puts it together: its own values over the series' defaults. */
export interface Frame extends FrameDescription {
  index: number;
  instanceUid: string;
  handle: string;
  instanceNumber: number | null;
  frameNumber: number;
  position: Point | null;
}

export type LoadState = "waiting" | "manifest" | "loading" | "complete" | "error" | "offline";

export interface LoadError {
  message: string;
  /** HTTP status; 0 when no answer came. */
  status: number;
}

/** How far a series has come. `subscribe` and the fields fit `useSyncExternalStore` with `revision` as the snapshot. */
export interface SeriesLoad {
  readonly ref: SeriesRef;
  readonly manifest: Manifest | null;
  readonly state: LoadState;
  /** Frames that are here, from the line or from the browser's store. */
  readonly loaded: number;
  readonly total: number;
  readonly error: LoadError | null;
  /** Frames that came from the browser's store in this visit. */
  readonly fromCache: number;
  /** Grows with each change that subscribers are told of. */
  readonly revision: number;
  /** True when the frame's bytes are here. */
  has(index: number): boolean;
  /** True when the frame also lies in the browser's store, and would be there on the next visit. */
  isKept(index: number): boolean;
  /** Why this one frame cannot be shown; null when it can or has not been tried. */
  failure(index: number): LoadError | null;
  /** The bytes as sent, once they are here; asks for them first when they are not. Rejects with a LoadProblem. */
  bytes(index: number, signal?: AbortSignal): Promise<FrameBytes>;
  /** Called after each change, at most once a drawn picture. Gives back how to stop. */
  subscribe(listener: () => void): () => void;
}

export interface FrameBytes {
  encoding: Encoding;
  /** A copy of the caller's own: it may be handed on to a worker. */
  data: ArrayBuffer;
}

export interface CacheSettings {
  /** Bytes that the browser may keep of all series together; 0 keeps nothing. */
  budgetBytes: number;
  /** Hours after which a kept series is dropped. */
  keepHours: number;
}

export interface LoaderStats {
  cachedBytes: number;
  cachedSeries: number;
  requestsInFlight: number;
  /** Requests sent since the page opened: manifests, streams and single frames. */
  requests: number;
  /** What the line was last seen to carry, in bytes a second; null before the first stream. */
  bytesPerSecond: number | null;
  /** False in a private window or where storage is switched off: nothing is kept. */
  canKeep: boolean;
}

export interface FrameLoader {
  /**
   * Begins to load a series, or gives the load that is there; each `open` wants one `close`. With `first` it is for the screen, and begins
   * with the frame of that index.
   */
  open(ref: SeriesRef, first?: (manifest: Manifest) => number): SeriesLoad;
  /** This frame is on the screen now, scrolled this way: it and its neighbours come first. */
  view(ref: SeriesRef, index: number, direction: -1 | 0 | 1): void;
  /** The page's first picture is on the screen: until then, or for a moment, none but it and its neighbours are fetched. */
  drawn(): void;
  /** The series is no longer on the screen: it goes on behind those that are. */
  leave(ref: SeriesRef): void;
  /** Stops loading and forgets the bytes in memory; what the browser has kept stays. */
  close(ref: SeriesRef): void;
  /** Tries a failed series again. */
  retry(ref: SeriesRef): void;
  /** Removes all that the browser has kept, of everybody. */
  wipe(): Promise<void>;
  settings: CacheSettings;
  stats(): LoaderStats;
  /** Runs a request in the same queue: never more than four are under way at once (thumbnails use it). */
  request<T>(run: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
}
