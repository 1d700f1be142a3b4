import { h, Component } from 'preact';
import { change } from './api.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(n) {
  let unit = 0;
  while (n >= 1024 && unit + 1 < UNITS.length) {
    n /= 1024;
    ++unit;
  }
  return `${unit > 0 && n < 10 ? n.toFixed(1) : Math.round(n)} ${UNITS[unit]}`;
}

export function number(n) {
  return n.toLocaleString('en');
}

export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  return s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
}

export function date(ms) {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

// Characters that are not seen, or that reorder those around them, as their numbers.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

// A name that somebody else has chosen, so that it shows what it is and cannot change the text around it.
export function Name({ of }) {
  return <bdi class="chosen">{of.replace(UNSEEN, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`)}</bdi>;
}

export function percent(part, whole) {
  return whole > 0 ? Math.round((100 * part) / whole) : 0;
}

// `share` of 1, with what it means in words.
export function Bar({ share, label }) {
  const kind = share > 0.9 ? 'error' : share > 0.8 ? 'warning' : 'good';
  return (
    <svg class={`bar ${kind}`} viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="track" width="100" height="4" />
      <rect class="level" width={Math.min(100, Math.max(share > 0 ? 1 : 0, share * 100))} height="4" />
    </svg>
  );
}

// The course of `values`, the newest last.
export function Line({ values, label }) {
  const top = Math.max(...values, 1e-9);
  const step = 100 / Math.max(1, values.length - 1);
  const points = values.map((v, i) => `${(i * step).toFixed(2)},${(29 - (27 * v) / top).toFixed(2)}`);
  return (
    <svg class="line" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.length > 1 && <polygon points={`0,30 ${points.join(' ')} 100,30`} />}
      {values.length > 1 && <polyline points={points.join(' ')} />}
    </svg>
  );
}

const MARKS = { error: '✕', warning: '!', info: 'i' };
const WORDS = { error: 'Problem: ', warning: 'Warning: ', info: 'Note: ' };

export function Reasons({ reasons }) {
  return (
    <ul class="reasons">
      {reasons.map((r) => (
        <li class={r.severity} key={r.text}>
          <span class="mark" aria-hidden="true">{MARKS[r.severity]}</span>
          <span>
            <span class="hidden">{WORDS[r.severity]}</span>
            {r.text}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function Badge({ kind, children }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

export function NodeState({ node }) {
  if (!node.up) return <Badge kind="error">down</Badge>;
  return <Badge kind={node.state === 'active' ? 'good' : 'warning'}>{node.state}</Badge>;
}

// `facts`: [name, value] each.
export function Facts({ facts }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

// After a change that `page` asked for: closes the question, says what was done, shows the new state.
export function finished(page, say, again) {
  return (answer) => {
    page.setState({ asks: null });
    say(answer.done.trim());
    again();
  };
}

// A modal window. The browser keeps the focus in it and closes it by Escape.
export class Dialog extends Component {
  componentDidMount() {
    this.from = document.activeElement;
    this.element.showModal();
    // The event may be that of a dialog that had this element before.
    this.closed = () => !this.element.open && this.props.onClose();
    this.element.addEventListener('close', this.closed);
  }

  componentWillUnmount() {
    this.element.removeEventListener('close', this.closed);
    if (this.element.open) this.element.close();
    if (this.from && this.from.isConnected) this.from.focus();
  }

  render({ title, children }) {
    return (
      <dialog ref={(element) => element && (this.element = element)} aria-labelledby="dialog-title">
        <h2 id="dialog-title">{title}</h2>
        {children}
      </dialog>
    );
  }
}

// Asks before a change, and says what became of it. `children`: what will happen, and fields; `request(form)` returns
// [method, path, query], a function that makes the change, or what is wrong with the fields, as text; `form` has the
// fields' values by name.
export class Confirm extends Component {
  constructor(props) {
    super(props);
    this.state = { busy: false, problem: '' };
    this.submit = this.submit.bind(this);
  }

  async submit(event) {
    event.preventDefault();
    if (this.state.busy) return;
    const form = Object.fromEntries(new FormData(event.target));
    const request = this.props.request(form);
    if (typeof request === 'string') return this.setState({ problem: request });
    this.setState({ busy: true, problem: '' });
    try {
      this.props.onDone(await (typeof request === 'function' ? request() : change(...request)));
    } catch (refusal) {
      this.setState({ busy: false, problem: refusal.message });
    }
  }

  render({ title, action, danger, children, onClose }, { busy, problem }) {
    return (
      <Dialog title={title} onClose={onClose}>
        <form onSubmit={this.submit}>
          {children}
          {problem && (
            <p class="notice error" role="alert">
              {problem}
            </p>
          )}
          <p class="buttons">
            <button type="button" onClick={onClose}>
              Cancel
            </button>
            <button type="submit" class={danger ? 'danger' : 'primary'} disabled={busy}>
              {busy ? 'Working…' : action}
            </button>
          </p>
        </form>
      </Dialog>
    );
  }
}

// What users fill in. Preact 8 uses the elements of removed components again: what was typed must not come back with them.
class Control extends Component {
  componentWillUnmount() {
    const filled = this.base.querySelector('input, select');
    if (filled.type === 'checkbox') filled.checked = false;
    else if (filled.options) filled.selectedIndex = 0;
    else filled.value = '';
  }
}

export class Field extends Control {
  render({ label, hint, children, ...input }) {
    return (
      <label class="field">
        <span>{label}</span>
        <input {...input} />
        {hint && <small>{hint}</small>}
      </label>
    );
  }
}

export class Choice extends Control {
  render({ label, options, children, ...select }) {
    return (
      <label class="field">
        <span>{label}</span>
        <select {...select}>
          {options.map(([value, text]) => (
            <option value={value}>{text}</option>
          ))}
        </select>
      </label>
    );
  }
}

export class Check extends Control {
  render({ label, children, ...input }) {
    return (
      <label class="check">
        <input type="checkbox" {...input} /> {label}
      </label>
    );
  }
}

// On narrow screens a row becomes a card, whose lines have the columns' names. Cells beyond the columns are left out.
export function Table({ caption, columns, rows, empty }) {
  if (rows.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <div class="scroll">
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((c) => (
              <th scope="col" class={c.number ? 'number' : ''}>
                {c.title || <span class="hidden">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.slice(0, columns.length).map((cell, i) => (
                <td data-title={columns[i].title || ''} class={columns[i].number ? 'number' : ''}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Pages of a list, forwards by `next`, back by what was asked before. `onGo` gets the new { befores, after }.
export function Pager({ befores, after, next, onGo }) {
  const onBack = () => onGo({ after: befores[befores.length - 1], befores: befores.slice(0, -1) });
  const onNext = () => onGo({ after: next, befores: [...befores, after] });
  if (befores.length === 0 && !next) return null;
  return (
    <p class="pager">
      <button disabled={befores.length === 0} onClick={onBack}>
        ‹ Previous
      </button>
      <span>Page {befores.length + 1}</span>
      <button disabled={!next} onClick={onNext}>
        Next ›
      </button>
    </p>
  );
}
