// Runs compiled machines: reads {module, json, runs: [{machine, events}]}, prints the leaf states after each event.
const { createActor, createMachine } = require("xstate");

function leaves(value, path = []) {
  if (typeof value === "string") return [[...path, value].join(".")];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

function run(machine, events) {
  const names = Object.keys(machine.implementations.actions);
  const idle = machine.provide({ actions: Object.fromEntries(names.map((name) => [name, () => {}])) });
  const actor = createActor(idle, { input: {} }).start();
  const seen = [leaves(actor.getSnapshot().value)];
  for (const event of events) {
    if (actor.getSnapshot().status === "active") actor.send(event);
    seen.push(leaves(actor.getSnapshot().value));
  }
  const { status, output } = actor.getSnapshot();
  actor.stop();
  return { seen, status, output };
}

const task = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const text of task.json) createMachine(JSON.parse(text));
const machines = Object.fromEntries(Object.values(require(task.module)).map((machine) => [machine.id, machine]));
console.log(JSON.stringify(task.runs.map(({ machine, events }) => run(machines[machine], events))));
