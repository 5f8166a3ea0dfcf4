/** The picture beside the sign-in form: films on a light box, drawn, nobody's own. */
import classes from "./sign-in-page.module.css";

/** Rows of a stylised axial stack: how wide and how high each slice's outline is. */
const SLICES = [
  [0.62, 0.78],
  [0.7, 0.86],
  [0.76, 0.92],
  [0.78, 0.94],
  [0.74, 0.9],
  [0.66, 0.8],
] as const;

export function LightBox() {
  return (
    <div className={classes.box} aria-hidden>
      <svg viewBox="0 0 360 420" className={classes.films} focusable="false">
        <defs>
          <radialGradient id="glow" cx="50%" cy="42%" r="75%">
            <stop offset="0" stopColor="#cfeae6" stopOpacity="0.95" />
            <stop offset="0.55" stopColor="#6fa9a4" stopOpacity="0.55" />
            <stop offset="1" stopColor="#1c3d3d" stopOpacity="0.1" />
          </radialGradient>
        </defs>
        {SLICES.map(([width, height], index) => (
          <Film key={index} x={22 + (index % 2) * 164} y={14 + Math.floor(index / 2) * 134} width={width} height={height} index={index} />
        ))}
      </svg>
    </div>
  );
}

interface FilmProps {
  x: number;
  y: number;
  width: number;
  height: number;
  index: number;
}

function Film({ x, y, width, height, index }: FilmProps) {
  const rx = 50 * width;
  const ry = 48 * height;
  const inner = 0.2 + index * 0.02;
  return (
    <g transform={`translate(${x} ${y})`}>
      <rect width="152" height="122" rx="5" fill="#071414" stroke="#2c5352" strokeWidth="0.8" />
      <ellipse cx="76" cy="61" rx={rx} ry={ry} fill="none" stroke="#dff3ef" strokeWidth="2.6" opacity="0.85" />
      <ellipse cx="76" cy="61" rx={rx - 4} ry={ry - 4} fill="url(#glow)" opacity="0.55" />
      <path
        d={`M76 ${61 - ry + 8}V${61 + ry - 8}`}
        stroke="#0b1f1f"
        strokeWidth="1.2"
        opacity="0.7"
      />
      <path
        d={`M${76 - rx * 0.34} ${61 - ry * inner}c${rx * 0.12} ${ry * 0.3} ${rx * 0.04} ${ry * 0.5} ${rx * 0.2} ${ry * 0.62}M${76 + rx * 0.34} ${61 - ry * inner}c${-rx * 0.12} ${ry * 0.3} ${-rx * 0.04} ${ry * 0.5} ${-rx * 0.2} ${ry * 0.62}`}
        fill="none"
        stroke="#0b1f1f"
        strokeWidth={5 - index * 0.4}
        strokeLinecap="round"
        opacity="0.75"
      />
      <path d="M146 22v78M143 22h3M143 41h3M143 61h3M143 80h3M143 100h3" stroke="#6fa9a4" strokeWidth="0.8" fill="none" />
      <text x="7" y="13" className={classes.corner}>
        {`IM ${index * 12 + 1}`}
      </text>
      <text x="7" y="116" className={classes.corner}>
        {`${(index * 4.5).toFixed(1)} mm`}
      </text>
    </g>
  );
}
