// Surfaces, perhaps with values on them, which can be turned.

import { NVMesh, SLICE_TYPE } from "./vendor/niivue.js";
import { Shown, frameOf, plain, whole } from "./shown.js";

const CAMERAS = [
  ["left", "From the left", 90, 0],
  ["right", "From the right", 270, 0],
  ["above", "From above", 0, 90],
  ["below", "From below", 0, -90],
  ["front", "From the front", 180, 0],
  ["behind", "From behind", 0, 0],
];
const TURN_DEGREES = 10;
const APART_MM = 4;
const CLICK_PX = 3;


export class Surfaces extends Shown {
  views = CAMERAS.map(([name, words]) => [name, words]);

  get view() {
    return this._view || (this.scene.surfaces.every((one) => one.side === "R") ? "right" : "left");
  }

  get hasLayer() {
    return Boolean(this.scene.layer);
  }

  get map() {
    return this.niivue.meshes[0]?.layers[0]?.colormap ?? "viridis";
  }

  async load() {
    this.niivue.opts.show3Dcrosshair = false; // until a vertex is chosen
    this.niivue.opts.crosshairWidth = 0.3;
    this._pickWhereClicked();
    this.niivue.setSliceType(SLICE_TYPE.RENDER);
    const files = this.scene.surfaces.map((one) => ({ url: whole(one), name: one.name, rgba255: [200, 192, 180, 255] }));
    await this.niivue.loadMeshes(files);
    this._moveApart();
    await this._loadLayer();
    this.setView(this.view);
  }

  // A click, but not the end of a turn: NiiVue then looks into the depth of the picture, and tells the place.
  _pickWhereClicked() {
    const { canvas } = this.niivue;
    let down = null;
    canvas.addEventListener("pointerdown", (event) => { down = [event.offsetX, event.offsetY]; });
    canvas.addEventListener("pointerup", (event) => {
      if (!down || Math.hypot(event.offsetX - down[0], event.offsetY - down[1]) > CLICK_PX) return;
      const scale = canvas.width / canvas.clientWidth;
      this.niivue.mousePos = [event.offsetX * scale, event.offsetY * scale];
      this.niivue.uiData.mouseDepthPicker = true;
      this.niivue.drawScene();
    });
  }

  // Inflated hemispheres lie one in the other: put a gap between them, as other viewers do.
  _moveApart() {
    if (this.niivue.meshes.length !== 2) return;
    const [left, right] = this.niivue.meshes.map((mesh) => xs(mesh.pts));
    const overlap = Math.max(left.high - right.low + APART_MM, 0);
    this.niivue.meshes.forEach((mesh, at) => {
      const shift = ((at === 0 ? -1 : 1) * overlap) / 2;
      for (let x = 0; x < mesh.pts.length; x += 3) mesh.pts[x] += shift;
      mesh.updateMesh(this.niivue.gl);
    });
  }

  async _loadLayer() {
    const { layer, surfaces } = this.scene;
    if (!layer) return;
    const isLabels = layer.kind === "labels" || layer.content === "labels";
    const name = isLabels ? "layer.label.gii" : "layer.func.gii";
    await Promise.all(this.niivue.meshes.map(async (mesh, at) => {
      const structure = layer.kind === "dense" ? surfaces[at].structure : "";
      const look = mesh.layers[0] ?? {};
      mesh.layers = [];
      await NVMesh.loadLayer({ url: frameOf(layer, this.frame, structure), name, opacity: 0.8, colormap: "viridis" }, mesh);
      const made = mesh.layers[0];
      if (!made) throw new Error("its values do not fit the surface");
      if (look.values) [made.cal_min, made.cal_max, made.colormap, made.opacity] = [look.cal_min, look.cal_max, look.colormap, look.opacity];
      mesh.updateMesh(this.niivue.gl);
    }));
    if (!isLabels && !this.isRanged) {
      this.isRanged = true;
      const [low, high] = robust(this.niivue.meshes.map((mesh) => mesh.layers[0].values));
      this.setRange(low, high);
      if (low < 0 && high > 0) this.setMap("blue2red");
    }
    this.niivue.drawScene();
  }

  async setFrame(frame) {
    this.frame = frame;
    await this._loadLayer();
  }

  setView(name) {
    this._view = name;
    const [, , azimuth, elevation] = CAMERAS.find(([known]) => known === name);
    this.niivue.setRenderAzimuthElevation(azimuth, elevation);
  }

  _eachLayer(change) {
    for (const mesh of this.niivue.meshes) {
      if (!mesh.layers.length) continue;
      change(mesh.layers[0]);
      mesh.updateMesh(this.niivue.gl);
    }
    this.niivue.drawScene();
  }

  setMap(name) {
    this._eachLayer((layer) => { layer.colormap = name; });
  }

  range() {
    const layer = this.niivue.meshes[0].layers[0];
    return layer ? [layer.cal_min, layer.cal_max] : [0, 1];
  }

  setRange(low, high) {
    this._eachLayer((layer) => { [layer.cal_min, layer.cal_max] = [low, high]; });
  }

  setOpacity(opacity) {
    this._eachLayer((layer) => { layer.opacity = opacity; });
  }

  move([across, up]) {
    const { renderAzimuth, renderElevation } = this.niivue.scene;
    this.niivue.setRenderAzimuthElevation(renderAzimuth + across * TURN_DEGREES, renderElevation + up * TURN_DEGREES);
  }

  goTo([vertex, side]) {
    const at = side === undefined ? 0 : side;
    const mesh = this.niivue.meshes[at];
    if (!mesh || !Number.isInteger(vertex) || vertex < 0 || 3 * vertex >= mesh.pts.length) return false;
    this._tellVertex(at, vertex);
    return true;
  }

  tell() {
    if (this.last) this._tellVertex(...this.last);
    else this.onPlace({ words: "Click the surface to read a vertex." });
  }

  // The nearest vertex is what was meant.
  locate(place) {
    const [x, y, z] = place.mm;
    let best = [Infinity, 0, 0];
    this.niivue.meshes.forEach((mesh, at) => {
      const { pts } = mesh;
      for (let v = 0; v < pts.length; v += 3) {
        const far = (pts[v] - x) ** 2 + (pts[v + 1] - y) ** 2 + (pts[v + 2] - z) ** 2;
        if (far < best[0]) best = [far, at, v / 3];
      }
    });
    this._tellVertex(best[1], best[2]);
  }

  _tellVertex(at, vertex) {
    const place = Array.from(this.niivue.meshes[at].pts.slice(3 * vertex, 3 * vertex + 3));
    this.niivue.scene.crosshairPos = this.niivue.mm2frac(place);
    this.niivue.opts.show3Dcrosshair = true;
    this.niivue.drawScene();
    this.last = [at, vertex];
    const { layer, surfaces } = this.scene;
    const { structure } = surfaces[at];
    const values = this.niivue.meshes[at].layers[0]?.values;
    const title = `Vertex ${vertex} of ${structure.toLowerCase().replace("_", " ")}`;
    const value = values ? ` · value ${named(layer, values[vertex])}` : "";
    const asked = layer?.kind === "dense" ? `${structure},${vertex}` : String(vertex);
    this.onPlace({ words: title + value, asked, title, structure, vertex });
  }
}

function named(layer, value) {
  return layer?.labels?.[String(value)] || plain(value);
}

function xs(points) {
  let [low, high] = [Infinity, -Infinity];
  for (let x = 0; x < points.length; x += 3) [low, high] = [Math.min(low, points[x]), Math.max(high, points[x])];
  return { low, high };
}

// What to show as dark and as bright: the 2nd and 98th percentile of what has a value.
function robust(columns) {
  const known = columns.flatMap((values) => Array.from(values)).filter((value) => Number.isFinite(value) && value !== 0);
  known.sort((one, other) => one - other);
  if (!known.length) return [0, 1];
  const [low, high] = [known[Math.floor(known.length * 0.02)], known[Math.floor((known.length - 1) * 0.98)]];
  return high > low ? [low, high] : [low, low + 1];
}
