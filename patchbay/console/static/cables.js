// Draws the cables: from each producer to its jack, and from there to the queues that it fills.

const SVG = "http://www.w3.org/2000/svg";
const NARROW = matchMedia("(max-width: 860px)");
const LANE = 9; // pixels between two cables that hang side by side, where it is narrow
const PLUG = 10; // pixels between two plugs of one queue
const PLUGGED = 10; // pixels of a plug outside of its queue
const SLACK = 16; // pixels that a cable hangs through
const BEND = 8; // the radius of a cable's bend, where it hangs

export function draw(map, list) {
  const svg = map.querySelector("svg.cables");
  const find = (kind, name) => map.querySelector(`[data-${kind}="${CSS.escape(name)}"]`);
  const cables = list.map((cable) => ({ ...cable, ...element(svg, cable.hue) }));
  const incoming = new Map();
  for (const cable of cables.filter((each) => each.to)) {
    const others = incoming.get(cable.to) ?? [];
    incoming.set(cable.to, [...others, cable]);
  }
  const used = new Set(cables.filter((each) => each.to).map((each) => each.from));
  // As the jacks are, from left to right: then no cable crosses another on its way to its lane.
  const lanes = [...map.querySelectorAll(".jack")].map((jack) => jack.dataset.jack).filter((name) => used.has(name));
  map.style.setProperty("--lanes", lanes.length);

  function place() {
    const origin = map.getBoundingClientRect();
    const box = (node) => {
      const { left, top, right, bottom, width, height } = node.getBoundingClientRect();
      return {
        left: left - origin.left, right: right - origin.left, top: top - origin.top, bottom: bottom - origin.top,
        x: left - origin.left + width / 2, y: top - origin.top + height / 2,
      };
    };
    placeJacks(box);
    for (const cable of cables) {
      const path = NARROW.matches ? hanging(cable, box) : across(cable, box);
      for (const part of cable.paths) part.setAttribute("d", path.d);
      cable.plug.setAttribute("transform", `translate(${path.plug.join(" ")})`);
    }
  }

  // Each jack beside the producer that it is for; the one for everything below them all.
  function placeJacks(box) {
    const bus = box(map.querySelector(".bus"));
    const jacks = [...map.querySelectorAll(".jack")];
    const narrow = NARROW.matches;
    jacks.forEach((jack, number) => {
      const share = (number + 0.5) / jacks.length;
      const producer = find("source", jack.dataset.jack);
      if (narrow) {
        jack.style.setProperty("--at", `${share * 100}%`);
      } else {
        const y = producer ? box(producer).y - bus.top : bus.bottom - bus.top - 48;
        jack.style.setProperty("--at", `${y}px`);
      }
    });
  }

  // A cable has some slack, and hangs through a little.
  function across(cable, box) {
    const jack = box(find("jack", cable.from));
    if (!cable.to) {
      const from = box(find("source", cable.from));
      return bow([from.right, from.y], [jack.left - 1, jack.y], 0);
    }
    const queue = box(find("consumer", cable.to).querySelector(".pipe"));
    return bow([jack.right + 1, jack.y], [queue.left - PLUGGED, plugged(cable, queue)], SLACK);
  }

  function bow([x1, y1], [x2, y2], slack) {
    const reach = (x2 - x1) * 0.5;
    return { d: `M${x1} ${y1}C${x1 + reach} ${y1 + slack} ${x2 - reach} ${y2 + slack} ${x2} ${y2}`, plug: [x2, y2] };
  }

  // Where it is narrow, the cables of a jack hang down in a lane of their own. The longest draws the
  // lane, and the others branch off it.
  function hanging(cable, box) {
    const jack = box(find("jack", cable.from));
    if (!cable.to) return { d: "", plug: [-99, -99] };
    const queue = box(find("consumer", cable.to).querySelector(".pipe"));
    const lane = lanes.indexOf(cable.from);
    const [x, y] = [4 + lane * LANE, plugged(cable, queue)];
    const end = [queue.left - PLUGGED, y];
    const branch = `V${y - BEND}Q${x} ${y} ${x + BEND} ${y}H${end[0]}`;
    if (cable !== longest(cable.from)) return { d: `M${x} ${y - BEND - 1}${branch}`, plug: end };
    const from = box(map.querySelector(".bus")).bottom - 4;
    const turn = from + 14 + lane * 7;
    const down = `M${jack.x} ${from}V${turn - BEND}Q${jack.x} ${turn} ${jack.x - BEND} ${turn}`;
    return { d: `${down}H${x + BEND}Q${x} ${turn} ${x} ${turn + BEND}${branch}`, plug: end };
  }

  function longest(jack) {
    return cables.findLast((each) => each.from === jack && each.to);
  }

  // Side by side, where several lead to one queue.
  function plugged(cable, queue) {
    const others = incoming.get(cable.to);
    return queue.y + (others.indexOf(cable) - (others.length - 1) / 2) * PLUG;
  }

  function run(paces) {
    for (const cable of cables) {
      const pace = paces[`${cable.from}>${cable.to}`] ?? 0;
      cable.group.classList.toggle("is-busy", pace > 0);
      cable.group.style.setProperty("--width", `${3 + 4 * pace}px`);
      // By its rate, not by its duration: that would make the dashes jump.
      for (const motion of cable.flow.getAnimations()) motion.updatePlaybackRate(0.3 + 3 * pace);
    }
  }

  function mark(consumer, state) {
    for (const cable of incoming.get(consumer) ?? []) cable.group.classList.toggle("is-paused", state === "paused");
  }

  function choose(source, consumer) {
    map.classList.toggle("has-chosen", Boolean(source || consumer));
    const feeding = (incoming.get(consumer) ?? []).map((cable) => cable.from);
    for (const { group, from, to } of cables) {
      const isChosen = from === source || (consumer && (to === consumer || (!to && feeding.includes(from))));
      group.classList.toggle("is-chosen", Boolean(isChosen));
    }
  }

  new ResizeObserver(place).observe(map);
  document.fonts?.ready.then(place);
  place();
  return { place, run, mark, choose };
}

function element(svg, hue) {
  const group = make("g", `cable hue-${hue}`);
  const paths = ["shade", "body", "flow"].map((name) => make("path", name));
  const plug = make("rect", "plug");
  for (const [name, value] of Object.entries({ x: -4, y: -4, width: 16, height: 8, rx: 2.5 })) plug.setAttribute(name, value);
  group.append(...paths, plug);
  svg.append(group);
  return { group, paths, flow: paths[2], plug };
}

function make(name, className) {
  const made = document.createElementNS(SVG, name);
  made.setAttribute("class", className);
  return made;
}
