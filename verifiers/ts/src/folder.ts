/**
 * An export on disk; for Node alone.
 *
 * Format: docs/formats/export.md.
 */

import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { concat } from "./bytes.js";
import { type ExportFiles, FILES_MAX, type Source } from "./export.js";
import { malformed, tampered } from "./verdict.js";

const CHUNK_BYTES = 1 << 16;

export function folderOf(folder: string): ExportFiles {
  return { paths: () => pathsBelow(folder), open: (path) => openFile(folder, path) };
}

function pathsBelow(folder: string): string[] {
  const found: string[] = [];
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      if (found.length > FILES_MAX) return;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      const isFolder = entry.isSymbolicLink() ? statSync(join(folder, path)).isDirectory() : entry.isDirectory();
      if (isFolder) walk(path);
      else found.push(path);
    }
  };
  try {
    walk("");
  } catch {
    throw malformed("export", "has a folder that cannot be read");
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function openFile(folder: string, path: string): Source {
  try {
    return new OpenFile(openSync(join(folder, path), "r"), path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw tampered(path, "is not there");
    throw malformed(path, "cannot be read");
  }
}

/** Reads in chunks, so that many small reads are few of the disk. */
class OpenFile implements Source {
  /** No Buffer: what slices one shares its bytes. */
  private chunk = new Uint8Array();

  constructor(
    private readonly file: number,
    private readonly path: string,
  ) {}

  read(count: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let wanted = count;
    while (wanted > 0) {
      if (this.chunk.length === 0 && !this.fill()) break;
      const part = this.chunk.subarray(0, wanted);
      this.chunk = this.chunk.subarray(part.length);
      parts.push(part);
      wanted -= part.length;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : concat(...parts);
  }

  close(): void {
    closeSync(this.file);
  }

  private fill(): boolean {
    try {
      const chunk = new Uint8Array(CHUNK_BYTES);
      this.chunk = chunk.subarray(0, readSync(this.file, chunk));
    } catch {
      throw malformed(this.path, "cannot be read");
    }
    return this.chunk.length > 0;
  }
}
