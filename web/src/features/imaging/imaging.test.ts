import { describe, expect, test } from "vitest";

import { recognise, typeList } from "./file-types";
import { kindWords, likelyKind, modalityOf, studyTitle } from "./kinds";
import { coveredBytes, firstGap, PieceSize } from "./ranges";

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

describe("a file is known by its first bytes", () => {
  test.each([
    ["\xff\xd8\xff\xe0", "image/jpeg"],
    ["\x89PNG\r\n\x1a\n....", "image/png"],
    ["II*\0....", "image/tiff"],
    ["MM\0*....", "image/tiff"],
    ["RIFF....WEBPVP8 ", "image/webp"],
    ["....ftypheic....", "image/heic"],
    ["\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "image/heic"],
    ["\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc", "image/heic"],
    ["\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "image/avif"],
    ["\0\0\0\x14ftypmp42\0\0\0\0isomheic", null],
    ["\0\0\0\x14ftyphevc\0\0\0\0hevc", "image/heif"],
    ["%PDF-1.7", "application/pdf"],
    ["junk before %PDF-1.4", "application/pdf"],
    [`${"\0".repeat(128)}DICM`, "application/dicom"],
    ["GIF89a", "image/gif"],
    ["PK\x03\x04 a document", null],
    ["<svg xmlns", null],
    ["....ftypmp42", null],
    ["", null],
  ])("%j", (head, type) => {
    expect(recognise(bytes(head))).toBe(type);
  });

  test("and named in words", () => {
    expect(typeList(["image/jpeg", "image/png", "application/pdf"])).toBe("JPEG, PNG and PDF");
    expect(typeList(["image/png"])).toBe("PNG");
    expect(typeList([])).toBe("");
  });
});

test("kinds have words, also those of bridges", () => {
  expect(kindWords("XRAY_BWX")).toBe("Bitewing X-ray");
  expect(kindWords("XRAY_TMJ_OPEN")).toBe("X-ray: tmj open");
  expect(kindWords("INTRAORAL_SCAN")).toBe("Intraoral scan");
  expect(studyTitle({ title: " ", kind: "PHOTO" })).toBe("Photos");
});

test("a picture's modality follows the study, a PDF's never", () => {
  expect(modalityOf("XRAY_PA", "image/png")).toBe("XRAY");
  expect(modalityOf("PHOTO", "image/jpeg")).toBe("PHOTO");
  expect(modalityOf("XRAY_PA", "application/pdf")).toBe("DOC");
  expect(modalityOf("DOCUMENT", "image/jpeg")).toBe("DOC");
  expect(likelyKind(["application/pdf"])).toBe("DOCUMENT");
  expect(likelyKind(["application/pdf", "image/png"])).toBe("XRAY_BWX");
});

describe("what is missing", () => {
  test("is the first gap, in pieces", () => {
    expect(firstGap([], 100, 30)).toEqual([0, 30]);
    expect(firstGap([[0, 30]], 100, 30)).toEqual([30, 60]);
    expect(firstGap([[60, 100], [0, 50]], 100, 30)).toEqual([50, 60]);
    expect(firstGap([[0, 100]], 100, 30)).toBeNull();
    expect(firstGap([[10, 20]], 100, 30)).toEqual([0, 10]);
    expect(coveredBytes([[0, 10], [20, 25]])).toBe(15);
  });

  test("is sent in larger pieces on a fast line and in smaller ones on a slow one", () => {
    const size = new PieceSize(1_000_000);
    const first = size.get();
    size.took(100);
    expect(size.get()).toBe(first * 2);
    size.took(100);
    size.took(100);
    expect(size.get()).toBe(1_000_000);
    size.took(5_000);
    expect(size.get()).toBe(500_000);
    for (let n = 0; n < 20; n += 1) size.failed();
    expect(size.get()).toBe(65_536);
  });
});
