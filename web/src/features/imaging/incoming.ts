/** Files that come to the page: dropped anywhere on it, pasted, or chosen. */
import { useEffect, useRef, useState } from "react";

export interface Arrived {
  files: File[];
  /** Names of folders among them: a browser gives no bytes of those. */
  folders: string[];
}

export function ofDrop({ items, files }: DataTransfer): Arrived {
  const folders = new Set<string>();
  for (const item of items) {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null;
    if (entry?.isDirectory === true) folders.add(entry.name);
  }
  return { files: [...files].filter(({ name }) => !folders.has(name)), folders: [...folders] };
}

const stamp = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

/** Every pasted picture is called `image.png`: a name with the moment tells them apart. */
export function named(file: File, now: Date): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const moment = stamp.format(now).replace(" ", " at ").replaceAll(":", ".");
  return new File([file], `Pasted ${moment}${file.name.slice(5)}`, { type: file.type, lastModified: file.lastModified });
}

/** Listens on the whole window; answers whether files are being dragged over it. */
export function useIncoming(onArrived: (arrived: Arrived) => void, takes: boolean): boolean {
  const [isOver, setIsOver] = useState(false);
  const latest = useRef(onArrived);
  useEffect(() => {
    latest.current = onArrived;
  });
  useEffect(() => {
    const isOfFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    let depth = 0;
    const stops = new AbortController();
    const { signal } = stops;
    const enter = (event: DragEvent) => {
      if (!isOfFiles(event)) return;
      event.preventDefault();
      depth += 1;
      setIsOver(takes);
    };
    const over = (event: DragEvent) => {
      // Without this the browser leaves the page for the file, here and where nothing is taken.
      if (isOfFiles(event)) event.preventDefault();
    };
    const leave = (event: DragEvent) => {
      if (!isOfFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setIsOver(false);
    };
    const drop = (event: DragEvent) => {
      if (event.dataTransfer === null || !isOfFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setIsOver(false);
      if (takes) latest.current(ofDrop(event.dataTransfer));
    };
    const paste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || !takes) return;
      event.preventDefault();
      latest.current({ files: files.map((file) => named(file, new Date())), folders: [] });
    };
    window.addEventListener("dragenter", enter, { signal });
    window.addEventListener("dragover", over, { signal });
    window.addEventListener("dragleave", leave, { signal });
    window.addEventListener("drop", drop, { signal });
    window.addEventListener("paste", paste, { signal });
    return () => stops.abort();
  }, [takes]);
  return isOver && takes;
}
