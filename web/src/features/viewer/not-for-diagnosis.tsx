/** What somebody outside must know of images in a browser. */
import classes from "./room.module.css";

export function NotForDiagnosis() {
  return (
    <p className={classes.banner} role="note">
      For review, not for primary diagnosis. Please do not pass the link on.
    </p>
  );
}
