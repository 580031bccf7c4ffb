const MINUTES_A_DAY = 1_440;
const formats = new Map<string, Intl.DateTimeFormat>();
const latest = new Map<string, { now: number; minutes: number }>();

/** Whether `timezone` is one that this Node knows. */
export function isTimezone(timezone: string): boolean {
  try {
    formatOf(timezone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Minutes since midnight on the clocks of `timezone`. @throws RangeError for an unknown zone. */
export function minutesOfDay(now: number, timezone: string): number {
  const known = latest.get(timezone);
  if (known?.now === now) return known.minutes;
  let minutes = 0;
  for (const { type, value } of formatOf(timezone).formatToParts(now)) {
    if (type === "hour") minutes += Number(value) * 60;
    if (type === "minute") minutes += Number(value);
  }
  latest.set(timezone, { now, minutes });
  return minutes;
}

/** `HH:MM` as minutes since midnight; 24:00 is the end of the day. */
export function parseTime(text: string): number {
  const [hours, minutes] = text.split(":");
  return Number(hours) * 60 + Number(minutes);
}

export function formatMinutes(minutes: number): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** From `start`, included, to `end`, excluded; an end before the start is on the next day. */
export function isWithin(minutes: number, start: number, end: number): boolean {
  if (start < end) return start <= minutes && minutes < end;
  return minutes >= start || minutes < end % MINUTES_A_DAY;
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(timezone, format);
  }
  return format;
}
