import decodeQR from "qr/decode.js";
import { describe, expect, test } from "vitest";

import { againIn } from "./again-in";
import { bars } from "./days";
import { makePasscode, strengthOf } from "./passcode";
import { qrShape } from "./qr";
import { fromDicomWeb } from "./series-to-share";
import { readPlace, writePlace } from "./share-address";
import { checkHours, hoursOf, startValues, toShare } from "./share-form-values";
import { exactTime, mailText, originWords, seriesWords, sinceWords, untilWords } from "./share-words";

const URL_ = "https://reading.example/share/Jx0Vw4mBqk3Zr8yT1nPeLhQ7sUaD5cGfKo2iWbX9vME";

/** The path as a camera sees it: each box painted into pixels. */
function painted(path: string, size: number, scale: number) {
  const width = size * scale;
  const data = new Uint8ClampedArray(width * width * 4).fill(255);
  for (const [, x = "", y = "", length = ""] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row += 1) {
      for (let column = Number(x) * scale; column < (Number(x) + Number(length)) * scale; column += 1) {
        data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3);
      }
    }
  }
  return { width, height: width, data };
}

test("the QR code says the link, whole", () => {
  const { size, path } = qrShape(URL_);
  expect(decodeQR(painted(path, size, 4))).toBe(URL_);
  expect(path).not.toMatch(/M[0-3] |M\d+ [0-3]h/);
});

describe("a passcode", () => {
  test("is made of letters that nobody mixes up, each as likely as the others", () => {
    expect(makePasscode()).toMatch(/^[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}$/);
    expect(makePasscode()).not.toBe(makePasscode());
    // 248 to 255 would make "a" to "h" more likely than the rest: they are left out.
    const served = [new Uint8Array(32).fill(255), Uint8Array.from({ length: 32 }, (_, place) => place)];
    expect(makePasscode(() => served.shift() ?? new Uint8Array(32))).toBe("abcd-efgh-jkmn");
  });

  test("is told what it is worth", () => {
    expect(strengthOf("ab1")).toBe("short");
    for (const easy of ["123456", "987654", "abcdefgh", "aaaaaaaa", "Password1", "19700131", "31011970", "31.01.1970"]) {
      expect([easy, strengthOf(easy)]).toEqual([easy, "weak"]);
    }
    expect(strengthOf("h7rk2w")).toBe("fair");
    expect(strengthOf(makePasscode())).toBe("good");
  });
});

describe("the form", () => {
  const values = { ...startValues(), passcode: "k7mp-4xqh-t2ve" };

  test("asks for a day and a passcode unless told otherwise", () => {
    expect(toShare("1.2.3", values)).toEqual({
      series_key: "1.2.3", expires_hours: 24, password: "k7mp-4xqh-t2ve", max_downloads: null, deidentified: false, accept_burned_in: false, note: "",
    }); // prettier-ignore
  });

  test("sends no passcode that was switched off, and a limit as a number", () => {
    // Said of a copy alone.
    expect(toShare("1.2.3", { ...values, acceptBurnedIn: true }).accept_burned_in).toBe(false);
    expect(toShare("1.2.3", { ...values, acceptBurnedIn: true, deidentified: true }).accept_burned_in).toBe(true);
    const said = toShare("1.2.3", { ...values, hasPasscode: false, maxDownloads: 3, note: "  for Dr Example " });
    expect(said).toMatchObject({ password: null, max_downloads: 3, note: "for Dr Example" });
  });

  test("takes a span of one's own, from an hour on", () => {
    expect(hoursOf({ expiry: "own", ownAmount: 2, ownUnit: "days" })).toBe(48);
    expect(checkHours({ expiry: "own", ownAmount: 2, ownUnit: "hours" })).toBeNull();
    expect(checkHours({ expiry: "own", ownAmount: 0.5, ownUnit: "hours" })).not.toBeNull();
    expect(checkHours({ expiry: "own", ownAmount: "", ownUnit: "days" })).not.toBeNull();
    expect(checkHours({ expiry: "24", ownAmount: "", ownUnit: "days" })).toBeNull();
  });
});

describe("time", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();

  test("ahead is told in whole units that are really left", () => {
    expect(untilWords(at(30), now)).toBe("in less than a minute");
    expect(untilWords(at(61), now)).toBe("in 1 minute");
    expect(untilWords(at(119 * 60 + 59), now)).toBe("in 119 minutes");
    expect(untilWords(at(24 * 3600), now)).toBe("in 24 hours");
    expect(untilWords(at(72 * 3600 - 1), now)).toBe("in 2 days");
    expect(untilWords(at(-1), now)).toBe("now");
  });

  test("past is told the same way", () => {
    expect(sinceWords(at(-5), now)).toBe("just now");
    expect(sinceWords(at(-3600), now)).toBe("60 minutes ago");
    expect(sinceWords(at(-30 * 3600), now)).toBe("30 hours ago");
    expect(sinceWords(at(-72 * 3600), now)).toBe("3 days ago");
  });

  test("that is exact names its zone", () => {
    expect(exactTime("2026-03-01T12:00:00Z", "UTC")).toMatch(/^Sunday,? 1 March 2026 at 12:00 UTC$/);
    expect(exactTime("2026-03-01T12:00:00Z", "Africa/Johannesburg")).toContain("14:00");
  });
});

describe("the text for a mail", () => {
  const mail = {
    url: URL_,
    expiresAt: "2026-03-01T12:00:00Z",
    facts: { PatientName: "Example^Priya", Modality: "CT", StudyDate: "20240118", StudyDescription: "Chest of Priya Example" },
    fileCount: 47,
    sizeBytes: 24_800_000,
    hasPasscode: true,
    deidentified: false,
    maxDownloads: null,
  };

  test("names no patient and no passcode, but the link, the end and that there is one", () => {
    const text = mailText(mail, "UTC");
    expect(text).toContain(URL_);
    expect(text).toContain("CT images of 18 Jan 2024 for you to download (47 files, 24.8 MB)");
    expect(text).toMatch(/until Sunday,? 1 March 2026 at 12:00 UTC\.$/m);
    expect(text).toContain("passcode, which you get from me by another way");
    expect(text).not.toMatch(/Example|Priya/);
  });

  test("says only what is so", () => {
    const text = mailText({ ...mail, hasPasscode: false, facts: {}, sizeBytes: null, deidentified: true, maxDownloads: 1 }, "UTC");
    expect(text).toContain("Images for you to download (47 files, de-identified)");
    expect(text).toContain("for 1 download.");
    expect(text).not.toContain("passcode");
  });

  test("of a de-identified copy tells no date of the original, as the copy itself does not", () => {
    const text = mailText({ ...mail, deidentified: true }, "UTC");
    expect(text).toContain("CT images for you to download (47 files, 24.8 MB, de-identified)");
    expect(text).not.toMatch(/2024|Jan/);
  });
});

test("a series is named without its patient, and where it lies", () => {
  expect(seriesWords({ PatientName: "Doe^Jane", Modality: "MR", SeriesDescription: "T2" })).toBe("MR · T2");
  expect(seriesWords({})).toBe("Images");
  expect(originWords({ origin: "nas", source: "archive" })).toBe("archive");
  expect(originWords({ origin: "orthanc", source: "" })).toBe("Orthanc");
});

test("which links are listed stands in the address, nonsense does not", () => {
  const text = "q=doe&state=used_up&all=true&page=2";
  const place = readPlace(new URLSearchParams(text));
  expect(writePlace(place, { page: 2 }).toString()).toBe(text);
  expect(writePlace(place, { state: "" }).toString()).toBe("q=doe&all=true");
  expect(readPlace(new URLSearchParams("state=gone&page=-1&all=1"))).toEqual({ q: "", state: "", all: false, page: 1 });
});

test("a series of DICOMweb has its name in all scripts", () => {
  const found = fromDicomWeb({
    "0020000E": { Value: ["1.2.3"] },
    "00100010": { Value: [{ Alphabetic: "Yamada^Tarou", Ideographic: "山田^太郎" }] },
    "00201209": { Value: [12] },
    "00080060": {},
  });
  expect(found).toMatchObject({ key: "1.2.3", fileCount: 12, sizeBytes: null, facts: { PatientName: "Yamada^Tarou=山田^太郎", Modality: "" } });
});

test("a picture that is not there yet is asked for again when the server says, and not for ever", () => {
  expect(againIn(503, "7", 0)).toBe(7);
  expect(againIn(429, "0", 5)).toBe(1);
  expect(againIn(503, "3600", 0)).toBe(60);
  expect(againIn(503, null, 0)).toBe(5);
  expect(againIn(503, "Sat, 21 Nov 2026 10:00:00 GMT", 0)).toBe(5);
  expect(againIn(503, "7", 6)).toBeNull();
  expect(againIn(404, "7", 0)).toBeNull();
  expect(againIn(200, null, 0)).toBe(0);
  expect(againIn(200, null, 6)).toBeNull();
});

test("bars stand inside their box, under an even number", () => {
  const { most, boxes } = bars([{ day: "2026-03-01", created: 3, downloads: 7, refused: 0 }], 100, 50);
  expect(most).toBe(10);
  expect(boxes.map(({ name, height }) => [name, height])).toEqual([["created", 15], ["downloads", 35]]);
  expect(boxes.every(({ x, y, width, height }) => x >= 0 && y >= 0 && x + width <= 100 && y + height <= 50)).toBe(true);
  expect(bars([], 100, 50).boxes).toEqual([]);
});
