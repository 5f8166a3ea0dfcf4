/** A link to be taken over by a telephone's camera. Dark on white in both colour schemes: cameras expect it so. */
import { qrShape } from "./qr";
import classes from "./shares.module.css";

export function QrCode({ text }: { text: string }) {
  const { size, path } = qrShape(text);
  return (
    <svg className={classes.qr} viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code of the link" shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
