import { h, Component } from 'preact';
import { segment } from './api.js';
import { Live } from './live.jsx';
import { Check, Confirm, Dialog, Facts, Field, Pager, Table, date, finished } from './widgets.jsx';

const PAGE = 50;
const RIGHTS = ['read', 'write', 'owner'];
const COLUMNS = [{ title: 'Access key' }, { title: 'Label' }, { title: 'Created (UTC)' }, { title: 'Rights' }, { title: '' }];

export function rightsOf(grant) {
  return RIGHTS.filter((r) => grant[r]).join(', ');
}

function Grants({ of }) {
  if (!of.creates_buckets && of.grants.length === 0) return <span class="quiet">none</span>;
  return (
    <ul class="grants">
      {of.creates_buckets && <li>may create buckets</li>}
      {of.grants.map((g) => (
        <li key={g.bucket}>
          <a href={'#/buckets/' + segment(g.bucket)}>{g.bucket}</a>: {rightsOf(g)}
        </li>
      ))}
    </ul>
  );
}

function keyRow(k, act) {
  return {
    key: k.access_key,
    cells: [
      <code>{k.access_key}</code>,
      k.label || '–',
      date(k.created_ms),
      <Grants of={k} />,
      act && (
        <span class="actions">
          <button class="small" aria-label={`Rights of ${k.access_key}`} onClick={() => act('rights', k)}>
            Rights
          </button>
          <button class="small" aria-label={`Delete ${k.access_key}`} onClick={() => act('delete', k)}>
            Delete
          </button>
        </span>
      ),
    ],
  };
}

function NewSecret({ made, onClose }) {
  return (
    <Dialog title="The new access key" onClose={onClose}>
      <p>The secret is shown only now: keep it before you close this.</p>
      <Facts
        facts={[
          ['Access key', <code id="made-key">{made.access_key}</code>],
          ['Secret key', <code id="made-secret">{made.secret_key}</code>],
        ]}
      />
      <p class="buttons">
        <button class="primary" onClick={onClose}>
          I have it
        </button>
      </p>
    </Dialog>
  );
}

function rightsRequest(access_key, form) {
  const rights = RIGHTS.filter((r) => form[r]).join(',');
  const query = { bucket: form.bucket.trim(), rights, create_buckets: form.create_buckets ? 'yes' : '' };
  if (!query.bucket !== !rights) return 'A bucket and rights on it go together.';
  if (!rights && !query.create_buckets) return 'Choose a bucket and rights, or the right to create buckets.';
  return [form.what === 'deny' ? 'DELETE' : 'PUT', `/v1/keys/${segment(access_key)}/rights`, query];
}

function RightsFields() {
  return (
    <div>
      <fieldset>
        <legend>Change</legend>
        <label class="check">
          <input type="radio" name="what" value="allow" defaultChecked /> Give
        </label>
        <label class="check">
          <input type="radio" name="what" value="deny" /> Take away
        </label>
      </fieldset>
      <Field label="Bucket" name="bucket" autocomplete="off" autocapitalize="off" />
      <fieldset>
        <legend>Rights on it</legend>
        <Check label="read: list it, read its objects" name="read" />
        <Check label="write: put and delete objects" name="write" />
        <Check label="owner: change its settings, remove it" name="owner" />
      </fieldset>
      <Check label="The right to create buckets" name="create_buckets" />
    </div>
  );
}

export class Keys extends Component {
  constructor(props) {
    super(props);
    this.state = { befores: [], after: '', asks: null, made: null };
  }

  dialogs(again, say) {
    const { asks, made } = this.state;
    const close = () => this.setState({ asks: null });
    const done = finished(this, say, again);
    if (made) return <NewSecret made={made} onClose={() => this.setState({ made: null })} />;
    if (!asks) return null;
    const key = asks.key;
    if (asks.name === 'create')
      return (
        <Confirm
          title="Create an access key"
          action="Create"
          request={(f) => ['POST', '/v1/keys', { label: f.label, create_buckets: f.create_buckets ? 'yes' : 'no' }]}
          onClose={close}
          onDone={(answer) => (this.setState({ asks: null, made: answer }), again())}
        >
          <Field label="Label" name="label" maxlength="128" autocomplete="off" hint="Whose it is, or what for" />
          <Check label="It may create buckets" name="create_buckets" />
        </Confirm>
      );
    if (asks.name === 'rights')
      return (
        <Confirm title={`Rights of ${key.access_key}`} action="Change" request={(f) => rightsRequest(key.access_key, f)} onClose={close} onDone={done}>
          <RightsFields />
        </Confirm>
      );
    return (
      <Confirm
        title={`Delete ${key.access_key}`}
        action="Delete"
        danger
        request={() => ['DELETE', '/v1/keys/' + segment(key.access_key)]}
        onClose={close}
        onDone={done}
      >
        <p>
          No request of it is taken from then on, also not those that are under way{key.label && ` (${key.label})`}. Its buckets and objects stay.
        </p>
      </Confirm>
    );
  }

  render({ session, say }, { befores, after }) {
    const act = session.operator ? (name, key) => this.setState({ asks: { name, key } }) : null;
    const columns = act ? COLUMNS : COLUMNS.slice(0, -1);
    const query = new URLSearchParams({ max: PAGE, ...(after && { after }) });
    return (
      <div>
        <h1 tabIndex="-1">Access keys</h1>
        {act && (
          <p>
            <button class="primary" onClick={() => this.setState({ asks: { name: 'create' } })}>
              Create an access key…
            </button>
          </p>
        )}
        <Live key={after} paths={{ page: '/v1/keys?' + query }} pause={10000}>
          {({ page }, again) => (
            <div>
              <Table
                caption="Access keys"
                columns={columns}
                rows={page.keys.map((k) => keyRow(k, act))}
                empty="There is no access key yet."
              />
              <Pager
                befores={befores}
                after={after}
                next={page.next}
                onGo={(place) => this.setState(place)}
              />
              {this.dialogs(again, say)}
            </div>
          )}
        </Live>
      </div>
    );
  }
}
