/** An <img> of bytes that are here already. */
import { useCallback, type ComponentProps } from "react";

export function BlobImage({ blob, alt, ...rest }: Omit<ComponentProps<"img">, "ref" | "src"> & { blob: Blob; alt: string }) {
  // Made with the element and given back with it: an object URL holds its bytes as long as it lives.
  const show = useCallback(
    (image: HTMLImageElement) => {
      const address = URL.createObjectURL(blob);
      image.src = address;
      return () => URL.revokeObjectURL(address);
    },
    [blob],
  );
  return <img {...rest} alt={alt} ref={show} />;
}
