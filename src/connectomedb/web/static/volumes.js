// A volume, perhaps with another over it, as slices and in 3-D.

import { SLICE_TYPE } from "./vendor/niivue.js";
import { Shown, frameOf, plain, whole } from "./shown.js";

const [INT16, LABELS] = [4, 1002]; // NIfTI codes of a type and of an intent
const STATISTICS = [3, 5]; // NIfTI codes of t and z
const FROM = 2.3; // what is shown of them at first: the customary threshold of z in FSL's pictures
const SLICES = [
  ["slices", "Slices and 3-D", SLICE_TYPE.MULTIPLANAR],
  ["axial", "Axial", SLICE_TYPE.AXIAL],
  ["coronal", "Coronal", SLICE_TYPE.CORONAL],
  ["sagittal", "Sagittal", SLICE_TYPE.SAGITTAL],
  ["solid", "3-D", SLICE_TYPE.RENDER],
];

export class Volumes extends Shown {
  view = "slices";
  views = SLICES.map(([name, words]) => [name, words]);

  get hasLayer() {
    return Boolean(this.scene.layer);
  }

  get map() {
    return this.hasLayer ? "warm" : "gray";
  }

  // Regions cover everything: what lies under them is to be seen, too.
  get opacity() {
    return this.scene.layer?.regions ? 0.5 : 0.8;
  }

  get top() {
    return this.niivue.volumes[this.niivue.volumes.length - 1];
  }

  async load() {
    const { volume, layer } = this.scene;
    const files = [this._file(volume, { colormap: "gray" })];
    if (layer) files.push(this._file(layer, { colormap: "warm", opacity: this.opacity }));
    await this.niivue.loadVolumes(files);
    if (layer) this._cutStatistics(this.top);
    this.keys = [volume, layer].map((file, at) => (file?.regions ? colourRegions(this.niivue.volumes[at], file.regions) : null));
    if (this.keys.some(Boolean)) this.niivue.updateGLVolume();
    this.setView(this.view);
  }

  // Of statistics over an image only what is far from 0 is shown: the rest would hide what lies under it.
  _cutStatistics(over) {
    if (!STATISTICS.includes(over.hdr.intent_code) || over.global_max <= FROM) return;
    [over.cal_min, over.cal_max] = [FROM, Number(over.global_max.toPrecision(3))];
    if (over.global_min < -FROM) Object.assign(over, { colormapNegative: "winter", cal_minNeg: -over.cal_max, cal_maxNeg: -FROM });
    this.niivue.updateGLVolume();
  }

  _file(file, look) {
    if (file.frames < 2) return { url: whole(file), name: file.name, ...look };
    const frame = file === this.moving ? this.frame : 0;
    return { url: frameOf(file, frame), name: `${file.name.split(".")[0]}.nii`, ...look };
  }

  async setFrame(frame) {
    this.frame = frame;
    const looks = this.niivue.volumes.map((one) => [one.colormap, one.opacity, one.cal_min, one.cal_max]);
    const place = [...this.niivue.scene.crosshairPos];
    await this.load();
    this.niivue.volumes.forEach((one, at) => {
      [one.colormap, one.opacity, one.cal_min, one.cal_max] = looks[at];
    });
    this.niivue.scene.crosshairPos = place;
    this.niivue.updateGLVolume();
  }

  setView(name) {
    this.view = name;
    this.niivue.setSliceType(SLICES.find(([known]) => known === name)[2]);
  }

  setMap(name) {
    this.niivue.setColormap(this.top.id, name);
  }

  range() {
    return [this.top.cal_min, this.top.cal_max];
  }

  setRange(low, high) {
    this.top.cal_min = low;
    this.top.cal_max = high;
    if (this.top.colormapNegative) [this.top.cal_minNeg, this.top.cal_maxNeg] = [-high, -low];
    this.niivue.updateGLVolume();
  }

  setOpacity(opacity) {
    this.niivue.setOpacity(this.niivue.volumes.length - 1, opacity);
  }

  move(step) {
    this.niivue.moveCrosshairInVox(...step);
  }

  goTo(voxel) {
    const { shape, affine } = this.scene.volume;
    if (voxel.length !== 3 || !voxel.every((index, axis) => index >= 0 && index < shape[axis])) return false;
    const mm = affine.slice(0, 3).map((row) => row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3]);
    this.niivue.scene.crosshairPos = this.niivue.mm2frac(mm);
    this.niivue.drawScene();
    this.niivue.createOnLocationChange();
    return true;
  }

  tell() {
    this.niivue.createOnLocationChange();
  }

  // A value; of a region its key, and its name where the file tells it.
  _named(at, value) {
    const key = this.keys[at]?.[Math.round(value)];
    if (key === undefined) return plain(value);
    const { labels } = (at ? this.scene.layer : this.scene.volume).regions;
    return labels[key] ? `${key} ${labels[key].name}` : `region ${key}`;
  }

  locate(place) {
    const mm = Array.from(place.mm).slice(0, 3);
    const voxel = voxelAt(mm, this.scene.volume.affine);
    const values = place.values.map((one, at) => this._named(at, one.value)).join(", ");
    const asked = voxelAt(mm, this.moving.affine);
    const title = `Voxel ${asked.join(", ")}`;
    const where = mm.map((length) => length.toFixed(1)).join(", ");
    this.onPlace({ words: `${where} mm · voxel ${voxel.join(", ")} · value ${values}`, asked: asked.join(","), title });
  }
}

// Each key becomes its place among the file's keys: graphics cards bound how long a table of colours may be.
// Gives the keys in the order of these places.
function colourRegions(volume, { labels, palette }) {
  const keys = [...new Set(volume.img)].sort((one, other) => one - other);
  const places = new Map(keys.map((key, place) => [key, place]));
  volume.img = Int16Array.from(volume.img, (key) => places.get(key));
  Object.assign(volume.hdr, { datatypeCode: INT16, numBitsPerVoxel: 16, intent_code: LABELS, scl_slope: 1, scl_inter: 0 });
  const colours = keys.map((key) => labels[key]?.colour ?? palette[((key % palette.length) + palette.length) % palette.length]);
  const [R, G, B] = [0, 1, 2].map((part) => colours.map((colour) => colour[part]));
  volume.setColormapLabel({ R, G, B, A: keys.map((key) => (key === 0 ? 0 : 255)), labels: keys.map(String) });
  return keys;
}

function voxelAt(mm, affine) {
  const [[a, b, c, x], [d, e, f, y], [g, h, i, z]] = affine;
  const [p, q, r] = [mm[0] - x, mm[1] - y, mm[2] - z];
  const whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    (p * (e * i - f * h) - b * (q * i - f * r) + c * (q * h - e * r)) / whole,
    (a * (q * i - f * r) - p * (d * i - f * g) + c * (d * r - q * g)) / whole,
    (a * (e * r - q * h) - b * (d * r - q * g) + p * (d * h - e * g)) / whole,
  ].map(Math.round);
}
