// Loaded into the process that the bootstrap starts. When the bootstrap is gone, killed outright included, this process ends in an orderly way:
// otherwise `kill -9` of what the user started would leave the real work running unseen.
import { Socket } from 'node:net';

const fd = process.env.HOURGLASS_PARENT_FD;
if (fd !== undefined) {
  // Not for this process's own children: their descriptor of that number is another one.
  delete process.env.HOURGLASS_PARENT_FD;
  const parent = new Socket({ fd: Number(fd), readable: true, writable: false });
  parent.on('error', () => {});
  parent.on('close', () => process.kill(process.pid, 'SIGTERM'));
  parent.resume();
  parent.unref();
}
