/** The shapes that the API answers with and that more than one feature reads. */

/** One page of a list. */
export interface Page<T> {
  items: T[];
  total: number;
}

/** Who is signed in, and what they may do. */
export interface Me {
  user: string;
  roles: string[];
  capabilities: string[];
  clinic: string | null;
}

/** Counts of headers that still say who the patient is. */
export interface Identifiable {
  patientNames: number;
  birthDates: number;
  burnedIn: number;
}

/** A teaching case. `identifiable` is there for admins only. */
export interface Case {
  id: string;
  caseNumber: number;
  examType: string;
  title: string;
  text: string;
  published: boolean;
  exists: boolean;
  fileCount: number;
  totalSizeBytes: number;
  studyUids: string[];
  expectedPath: string;
  withdrawn: boolean;
  createdAt: string;
  updatedAt: string;
  identifiable?: Identifiable | null;
}

export interface ExamType {
  id: string | number;
  name: string;
}

/** A short-lived link that a browser can follow by itself. */
export interface Ticket {
  url: string;
  fileName: string;
  sizeBytes: number;
  expiresAt: string;
}
