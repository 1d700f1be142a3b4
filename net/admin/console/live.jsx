import { h, Component } from 'preact';
import { read } from './api.js';

const PAUSE_MS = 2000;

// Asks for `paths` ({name: path}) again and again while it is shown and the tab is visible, one round at a time.
// `children[0](data, again, refused)` gets {name: answer} of the last round that was answered; what a path refuses is null
// in `data`, and its refusal in `refused`. `load(path)`: how a path is asked; without it as the admin API is.
export class Live extends Component {
  constructor(props) {
    super(props);
    this.state = { data: null, failed: null };
    this.round = this.round.bind(this);
    this.seen = this.seen.bind(this);
  }

  componentDidMount() {
    document.addEventListener('visibilitychange', this.seen);
    this.round();
  }

  componentDidUpdate(before) {
    if (JSON.stringify(before.paths) !== JSON.stringify(this.props.paths)) this.round();
  }

  componentWillUnmount() {
    this.ended = true;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.seen);
  }

  seen() {
    if (!document.hidden) this.round();
  }

  async round() {
    clearTimeout(this.timer);
    const number = (this.number = (this.number || 0) + 1);
    const names = Object.keys(this.props.paths);
    const optional = this.props.optional || [];
    const load = this.props.load || ((path) => read(path, {}));
    let failed = null;
    read('/v1/session').catch(() => {}); // notices that the session has ended: what is shown may need none
    const answers = await Promise.all(
      names.map((name) =>
        load(this.props.paths[name]).catch((refusal) => {
          if (!optional.includes(name) || refusal.status === 0) failed = refusal;
          return { refused: refusal };
        })
      )
    );
    if (this.ended || number !== this.number) return; // a later round has begun
    if (failed) {
      this.setState({ failed });
    } else {
      const data = Object.fromEntries(names.map((name, i) => [name, answers[i].refused ? null : answers[i]]));
      const refused = Object.fromEntries(names.map((name, i) => [name, answers[i].refused]));
      this.setState({ data, refused, failed: null });
      if (this.props.onData) this.props.onData(data);
    }
    if (!document.hidden) this.timer = setTimeout(this.round, this.props.pause || PAUSE_MS);
  }

  render({ children }, { data, refused, failed }) {
    return (
      <div>
        {failed && (
          <p class="notice error" role="alert">
            {failed.message} {data && 'What is shown is the last that it said. '}Trying again…
          </p>
        )}
        {data ? children[0](data, this.round, refused) : !failed && <p class="quiet">Loading…</p>}
      </div>
    );
  }
}
