import { h, render, Component } from 'preact';
import { currentSession, onSignedOut, signOut } from './api.js';
import { SignIn } from './sign_in.jsx';
import { Overview } from './overview.jsx';
import { Nodes } from './nodes.jsx';
import { Moves } from './moves.jsx';
import { Keys } from './keys.jsx';
import { Buckets, Bucket } from './buckets.jsx';
import { Objects } from './objects.jsx';
import { ObjectPage } from './object.jsx';
import { Uploads, endUploads } from './uploads.jsx';

const PAGES = [
  { name: 'overview', title: 'Overview', page: Overview },
  { name: 'nodes', title: 'Nodes and disks', page: Nodes },
  { name: 'moves', title: 'Moves and repairs', page: Moves },
  { name: 'buckets', title: 'Buckets', page: Buckets, detail: Bucket },
  { name: 'keys', title: 'Access keys', page: Keys },
];
// Pages that others lead to; `of`: the one that the menu marks.
const FURTHER = [
  { name: 'objects', title: 'Objects', page: Buckets, detail: Objects, of: PAGES[3] },
  { name: 'object', title: 'Object', page: Buckets, detail: ObjectPage, of: PAGES[3] },
];

// The page of "#/buckets/name".
function place() {
  const [name, ...rest] = location.hash.replace(/^#\//, '').split('/');
  const page = [...PAGES, ...FURTHER].find((p) => p.name === name) || PAGES[0];
  let subject = '';
  try {
    subject = decodeURIComponent(rest.join('/'));
  } catch (malformed) {
    location.hash = '#/' + page.name;
  }
  return { page, subject };
}

class Console extends Component {
  constructor(props) {
    super(props);
    this.state = { session: undefined, said: '', ...place() };
    this.say = this.say.bind(this);
  }

  componentDidMount() {
    onSignedOut(() => this.state.session && this.end('The session has ended: sign in again.'));
    window.addEventListener('hashchange', () => {
      this.setState({ ...place(), said: '' });
      this.heading();
    });
    currentSession().then(
      (session) => this.setState({ session }),
      (refusal) => this.setState({ session: null, said: refusal.status === 401 ? '' : refusal.message })
    );
  }

  // Screen readers go on at the new page's heading.
  heading() {
    const { page, subject } = this.state;
    document.title = `${subject || page.title} · Cairn`;
    window.scrollTo(0, 0);
    setTimeout(() => {
      const found = document.querySelector('main h1');
      if (found) found.focus();
    });
  }

  say(said) {
    this.setState({ said });
  }

  end(said) {
    endUploads();
    this.setState({ session: null, said });
  }

  async leave() {
    try {
      await signOut();
    } catch (refusal) {
      if (refusal.status !== 401) return this.say(refusal.message);
    }
    this.end('Signed out.');
  }

  render(props, { session, said, page, subject }) {
    if (session === undefined) return <p class="quiet alone">Loading…</p>;
    if (session === null) return <SignIn said={said} onSignedIn={(s) => this.setState({ session: s, said: '' })} />;
    const Page = subject && page.detail ? page.detail : page.page;
    return (
      <div class="frame">
        <a class="skip" href="#content" onClick={(e) => (e.preventDefault(), document.getElementById('content').focus())}>
          Skip to the content
        </a>
        <header>
          <a class="name" href="#/overview">
            <img src="icon.svg" alt="" width="28" height="28" /> Cairn
          </a>
          <nav aria-label="Pages">
            <ul>
              {PAGES.map((p) => (
                <li>
                  <a href={'#/' + p.name} aria-current={p === (page.of || page) ? 'page' : null}>
                    {p.title}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <div class="who">
            <span title={session.access_key}>{session.access_key || 'Admin token'}</span>
            <small>{session.operator ? 'Operator' : 'Not an operator'}</small>
            <button onClick={() => this.leave()}>Sign out</button>
          </div>
        </header>
        <main id="content" tabIndex="-1">
          <Page key={page.name + '/' + subject} subject={subject} session={session} say={this.say} />
          <Uploads />
        </main>
        <p class={said ? 'said shown' : 'said'} role="status">
          <span>{said}</span>
          {said && (
            <button aria-label="Close this message" onClick={() => this.say('')}>
              ×
            </button>
          )}
        </p>
      </div>
    );
  }
}

render(<Console />, document.getElementById('console'));
