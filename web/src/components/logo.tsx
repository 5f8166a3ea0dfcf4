/** The mark: a film on the light box. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <rect width="32" height="32" rx="7" fill="#0e2b2b" />
      <rect x="6" y="6" width="20" height="20" rx="2.5" fill="#dff3ef" />
      <path
        d="M10 22V10h6.4c2.6 0 4.2 1.4 4.2 3.7 0 1.7-.9 2.9-2.4 3.4l2.9 4.9h-3l-2.6-4.5h-2.9V22z"
        fill="#0e2b2b"
      />
      <path
        d="M22.8 9.2h1M22.8 12h1M22.8 14.8h1M22.8 17.6h1M22.8 20.4h1"
        stroke="#1b8a80"
        strokeWidth="1.1"
        strokeLinecap="round"
      />
    </svg>
  );
}
