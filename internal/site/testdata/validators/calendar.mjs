// Prints the events of each calendar as an application understands them.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

ICAL.design.strict = true;
const moment = (time) => (time.isDate ? time.toString() : time.toJSDate().toISOString().replace(".000", ""));

function event(component) {
  const { uid, summary, startDate, endDate, sequence } = new ICAL.Event(component, { strictExceptions: true });
  const status = component.getFirstPropertyValue("status");
  return { uid, summary, start: moment(startDate), end: moment(endDate), sequence, status };
}

const calendars = process.argv.slice(2).map((file) => {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(file, "utf8")));
  return calendar.getAllSubcomponents("vevent").map(event);
});
console.log(JSON.stringify(calendars));
