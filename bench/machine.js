import { readFile, statfs } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { run } from './children.js';

/** What the numbers hold for: processor, memory, disk, kernel, Node, and what else the machine does. */
export async function describeMachine(folder) {
  const processors = cpus();
  const device = (await run(['df', '--output=fstype,source', folder]))
    .trim()
    .split('\n')
    .at(-1)
    .trim()
    .replace(/\s+/, ' on ');
  const free = await statfs(folder);
  const distribution = /^PRETTY_NAME="(.*)"$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  return {
    processors: `${processors.length} × ${processors[0].model.trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    disk: `${device}, ${Math.round((free.bavail * free.bsize) / 2 ** 30)} GiB free`,
    system: `${distribution}, Linux ${release().split('-')[0]}`,
    node: process.version,
    load: loadavg()[0].toFixed(1),
  };
}
