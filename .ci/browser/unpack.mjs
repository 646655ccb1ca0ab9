// Unpacks Chromium, its libraries and its fonts next to this file, and writes a `chromium` that starts it with them.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const into = `${here}unpacked`;
await mkdir(into, { recursive: true });
process.env.TMPDIR = into; // where the package unpacks to

const { inflate } = await import("@sparticuz/chromium");
const packed = `${here}node_modules/@sparticuz/chromium/bin`;
for (const name of ["chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"]) {
  await inflate(`${packed}/${name}`);
}

// The package's own names folders that only Lambda has.
const fonts = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${into}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${into}/fonts-cache</cachedir>
</fontconfig>
`;
await writeFile(`${into}/fonts.conf`, fonts);

const script = `#!/bin/sh
export LD_LIBRARY_PATH="${into}/al2023/lib" FONTCONFIG_FILE="${into}/fonts.conf"
exec "${into}/chromium" "$@"
`;
await writeFile(`${here}chromium`, script);
await chmod(`${here}chromium`, 0o755);
