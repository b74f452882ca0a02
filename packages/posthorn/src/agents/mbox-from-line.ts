/** The line that begins a message in an mbox: its sender without blanks, and when it came, in UTC (RFC 4155 §A). */
export function formatFromLine(reversePath: string, receivedAt: number): string {
  const sender = reversePath === '' ? 'MAILER-DAEMON' : reversePath.replace(/\s/g, '-');
  const [weekday = '', day = '', month = '', year = '', clock = ''] = new Date(receivedAt)
    .toUTCString()
    .replace(',', '')
    .split(' ');
  return `From ${sender} ${weekday} ${month} ${String(Number(day)).padStart(2, ' ')} ${clock} ${year}\n`;
}
