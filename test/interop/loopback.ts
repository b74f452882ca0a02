/** Mail exchangers listen on port 25: each test file, in a process of its own, has loopback addresses of its own. */
export const network = `127.${20 + (process.pid % 200)}.${Math.floor(process.pid / 200) % 250}`;
