// The values of one place in all frames: of a CIFTI file by the range of bytes in which they lie, else by the server.

const READERS = { f4: "getFloat32", f8: "getFloat64", i2: "getInt16", u2: "getUint16", i4: "getInt32", u1: "getUint8" };

export async function fetchSeries(source, place) {
  const index = place.vertex === undefined ? null : grayordinate(source, place);
  if (index !== null) return fetchRow(source, index);
  const reply = await fetch(`${source.address}?series=${encodeURIComponent(place.asked)}`);
  if (!reply.ok) throw new Error((await reply.text()).slice(0, 300));
  return reply.json();
}

// The column of a vertex in a dense file that can be read in parts; null when the server has to look.
function grayordinate(source, place) {
  if (source.kind !== "dense" || source.packed || !READERS[source.dtype.slice(1)]) return null;
  const model = source.models.find((one) => one.structure === place.structure && one.vertices);
  if (!model) return null;
  let at = model.start;
  for (const [first, count] of model.vertices) {
    if (place.vertex >= first && place.vertex < first + count) return at + place.vertex - first;
    at += count;
  }
  throw new Error(`${place.title} is not among the grayordinates: it is no grey matter.`);
}

async function fetchRow(source, index) {
  const size = Number(source.dtype.slice(2));
  const first = source.offset + index * source.frames * size;
  const headers = { Range: `bytes=${first}-${first + source.frames * size - 1}` };
  const reply = await fetch(`${source.address}?redirect=false`, { headers });
  if (reply.status !== 206) throw new Error(`The server answered ${reply.status} to a request for a part of the file.`);
  const bytes = new DataView(await reply.arrayBuffer());
  const read = READERS[source.dtype.slice(1)];
  const isLittle = source.dtype[0] !== ">";
  const values = Array.from({ length: source.frames }, (_, frame) => bytes[read](frame * size, isLittle))
    .map((value) => (Number.isFinite(value) ? value * source.slope + source.inter : null));
  return { count: source.frames, start_s: source.start_s, step_s: source.step_s, values };
}
