import { h, Component } from 'preact';
import { signIn, signInWithToken } from './api.js';
import { Field } from './widgets.jsx';

export class SignIn extends Component {
  constructor(props) {
    super(props);
    this.state = { byToken: false, busy: false, problem: '' };
    this.submit = this.submit.bind(this);
  }

  async submit(event) {
    event.preventDefault();
    const { key, secret, token } = Object.fromEntries(new FormData(event.target));
    this.setState({ busy: true, problem: '' });
    try {
      this.props.onSignedIn(await (this.state.byToken ? signInWithToken(token.trim()) : signIn(key.trim(), secret)));
    } catch (refusal) {
      this.setState({ busy: false, problem: refusal.message });
    }
  }

  render({ said }, { byToken, busy, problem }) {
    return (
      <main class="sign-in">
        <form onSubmit={this.submit} class="card">
          <h1>
            <img src="icon.svg" alt="" width="40" height="40" /> Cairn
          </h1>
          {byToken ? (
            <Field key="token" label="Admin token" name="token" type="password" required autocomplete="off"
              hint="admin.token of the configuration, or the file admin.token in the node's data directory" />
          ) : (
            <div key="key">
              <Field label="Access key" name="key" required autocomplete="username" autocapitalize="off" spellcheck={false} />
              <Field label="Secret key" name="secret" type="password" required autocomplete="current-password" />
            </div>
          )}
          {(problem || said) && (
            <p class={problem ? 'notice error' : 'notice'} role="alert">
              {problem || said}
            </p>
          )}
          <button type="submit" class="primary wide" disabled={busy}>
            {busy ? 'Signing in…' : 'Sign in'}
          </button>
          <button type="button" class="plain wide" onClick={() => this.setState({ byToken: !byToken, problem: '' })}>
            {byToken ? 'Use an access key' : 'Use the admin token'}
          </button>
        </form>
      </main>
    );
  }
}
