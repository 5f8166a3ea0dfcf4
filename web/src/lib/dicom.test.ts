import { describe, expect, test } from "vitest";

import { dicomDate, dicomTime, personName } from "@/lib/dicom";

describe("a patient's name", () => {
  test("has the family name first, then the given ones, then titles", () => {
    expect(personName("Doe^Jane")).toBe("Doe, Jane");
    expect(personName("Doe^Jane^Mary^Dr^PhD")).toBe("Doe, Jane Mary (Dr, PhD)");
    expect(personName("Doe")).toBe("Doe");
    expect(personName("^Jane")).toBe("Jane");
  });

  test("in several scripts shows each", () => {
    expect(personName("Yamada^Tarou=山田^太郎=やまだ^たろう")).toBe("Yamada, Tarou · 山田, 太郎 · やまだ, たろう");
    expect(personName("=山田^太郎")).toBe("山田, 太郎");
  });

  test("that is missing is said to be", () => {
    expect(personName("")).toBe("No name");
    expect(personName("^^^^")).toBe("No name");
  });
});

test("dates and times are read in every form that headers have, and shown as they are otherwise", () => {
  expect(dicomDate("20240118")).toBe("18 Jan 2024");
  expect(dicomDate("2024.01.18")).toBe("18 Jan 2024");
  expect(dicomDate("2024-01-18")).toBe("18 Jan 2024");
  expect(dicomDate("20241399")).toBe("20241399");
  expect(dicomDate("")).toBe("–");
  expect(dicomTime("143005.12")).toBe("14:30");
  expect(dicomTime("14:30:05")).toBe("14:30");
  expect(dicomTime("")).toBe("");
});
