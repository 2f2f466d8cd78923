import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Learns of groups line by line; once the runner is gone, however it ended, it ends those that are left. */
const script = `groups=
while read -r sign group; do
  rest=
  for one in $groups; do [ "$one" = "$group" ] || rest="$rest $one"; done
  groups="$rest"
  [ "$sign" = + ] && groups="$groups $group"
done
for one in $groups; do kill -s KILL -- "-$one"; done`;

let pipe: Socket | undefined;

/** Process groups that are not to outlive this process, also when that is killed outright. */
export const survivors = {
  add: (group: number): void => tell('+', group),
  remove: (group: number): void => tell('-', group),
};

function tell(sign: '+' | '-', group: number): void {
  pipe ??= startReaper();
  pipe.write(`${sign} ${group}\n`);
}

function startReaper(): Socket {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const stdin = child.stdin as Socket;
  // Without a shell nothing would run at all.
  for (const one of [child, stdin]) one.on('error', () => undefined);
  child.unref();
  stdin.unref();
  return stdin;
}
