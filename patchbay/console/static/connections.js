// The connections of the map: from each publisher to its port, and from there to the queues.

const SVG = "http://www.w3.org/2000/svg";
const NARROW = matchMedia("(max-width: 860px)");
const LANE = 9; // pixels between the lanes of two ports, in a narrow window
const PLUG = 10; // pixels between two plugs of one queue
const PLUG_LENGTH = 10; // pixels of a plug outside of its queue
const SLACK = 16; // pixels by which a connection sags
const BEND = 8; // the radius of a connection's bend, in a narrow window

export function draw(map, list) {
  const svg = map.querySelector("svg.connections");
  const find = (kind, name) => map.querySelector(`[data-${kind}="${CSS.escape(name)}"]`);
  const connections = list.map((connection) => ({ ...connection, ...element(svg, connection.hue) }));
  const incoming = new Map();
  for (const connection of connections.filter((each) => each.to)) {
    const others = incoming.get(connection.to) ?? [];
    incoming.set(connection.to, [...others, connection]);
  }
  const used = new Set(connections.filter((each) => each.to).map((each) => each.from));
  // In the order of the ports, so that no connection crosses another on the way to its lane.
  const lanes = [...map.querySelectorAll(".port")].map((port) => port.dataset.port).filter((name) => used.has(name));
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
    placePorts(box);
    for (const connection of connections) {
      const path = NARROW.matches ? hanging(connection, box) : across(connection, box);
      for (const part of connection.paths) part.setAttribute("d", path.d);
      connection.plug.setAttribute("transform", `translate(${path.plug.join(" ")})`);
    }
  }

  // Each port is beside its publisher; the port for everything is below all others.
  function placePorts(box) {
    const bus = box(map.querySelector(".bus"));
    const ports = [...map.querySelectorAll(".port")];
    const narrow = NARROW.matches;
    ports.forEach((port, number) => {
      const share = (number + 0.5) / ports.length;
      const publisher = find("publisher", port.dataset.port);
      if (narrow) {
        port.style.setProperty("--at", `${share * 100}%`);
      } else {
        const y = publisher ? box(publisher).y - bus.top : bus.bottom - bus.top - 48;
        port.style.setProperty("--at", `${y}px`);
      }
    });
  }

  // A wide window: a curve that sags a little.
  function across(connection, box) {
    const port = box(find("port", connection.from));
    if (!connection.to) {
      const from = box(find("publisher", connection.from));
      return bow([from.right, from.y], [port.left - 1, port.y], 0);
    }
    const queue = box(find("consumer", connection.to).querySelector(".pipe"));
    return bow([port.right + 1, port.y], [queue.left - PLUG_LENGTH, plugY(connection, queue)], SLACK);
  }

  function bow([x1, y1], [x2, y2], slack) {
    const reach = (x2 - x1) * 0.5;
    return { d: `M${x1} ${y1}C${x1 + reach} ${y1 + slack} ${x2 - reach} ${y2 + slack} ${x2} ${y2}`, plug: [x2, y2] };
  }

  // A narrow window: the connections of a port share a vertical lane. The longest one draws the lane,
  // and the others branch off it.
  function hanging(connection, box) {
    const port = box(find("port", connection.from));
    if (!connection.to) return { d: "", plug: [-99, -99] };
    const queue = box(find("consumer", connection.to).querySelector(".pipe"));
    const lane = lanes.indexOf(connection.from);
    const [x, y] = [4 + lane * LANE, plugY(connection, queue)];
    const end = [queue.left - PLUG_LENGTH, y];
    const branch = `V${y - BEND}Q${x} ${y} ${x + BEND} ${y}H${end[0]}`;
    if (connection !== longest(connection.from)) return { d: `M${x} ${y - BEND - 1}${branch}`, plug: end };
    const from = box(map.querySelector(".bus")).bottom - 4;
    const turn = from + 14 + lane * 7;
    const down = `M${port.x} ${from}V${turn - BEND}Q${port.x} ${turn} ${port.x - BEND} ${turn}`;
    return { d: `${down}H${x + BEND}Q${x} ${turn} ${x} ${turn + BEND}${branch}`, plug: end };
  }

  function longest(port) {
    return connections.findLast((each) => each.from === port && each.to);
  }

  // The plugs of one queue are side by side.
  function plugY(connection, queue) {
    const others = incoming.get(connection.to);
    return queue.y + (others.indexOf(connection) - (others.length - 1) / 2) * PLUG;
  }

  function setPaces(paces) {
    for (const connection of connections) {
      const pace = paces[`${connection.from}>${connection.to}`] ?? 0;
      connection.group.classList.toggle("is-busy", pace > 0);
      connection.group.style.setProperty("--width", `${3 + 4 * pace}px`);
      // Changes the playback rate: with another duration, the dashes would jump.
      for (const motion of connection.flow.getAnimations()) motion.updatePlaybackRate(0.3 + 3 * pace);
    }
  }

  function setState(consumer, state) {
    for (const connection of incoming.get(consumer) ?? []) connection.group.classList.toggle("is-paused", state === "paused");
  }

  function choose(publisher, consumer) {
    map.classList.toggle("has-chosen", Boolean(publisher || consumer));
    const feeding = (incoming.get(consumer) ?? []).map((connection) => connection.from);
    for (const { group, from, to } of connections) {
      const isChosen = from === publisher || (consumer && (to === consumer || (!to && feeding.includes(from))));
      group.classList.toggle("is-chosen", Boolean(isChosen));
    }
  }

  new ResizeObserver(place).observe(map);
  document.fonts?.ready.then(place);
  place();
  return { place, setPaces, setState, choose };
}

function element(svg, hue) {
  const group = make("g", `connection hue-${hue}`);
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
