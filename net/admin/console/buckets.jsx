import { h, Component } from 'preact';
import { segment } from './api.js';
import { Live } from './live.jsx';
import { Badge, Confirm, Facts, Field, Pager, Table, bytes, date, finished, number } from './widgets.jsx';
import { rightsOf } from './keys.jsx';

const PAGE = 50;
const COLUMNS = [{ title: 'Bucket' }, { title: 'Created (UTC)' }, { title: '' }];

// The list has the buckets on which the key has rights of its own. Policies can allow it more.
function OpenBucket() {
  const open = (event) => {
    event.preventDefault();
    location.hash = '#/objects/' + segment(new FormData(event.target).get('bucket').trim());
  };
  return (
    <form onSubmit={open} class="open">
      <Field label="A bucket that a policy opens to this key" name="bucket" required autocomplete="off" autocapitalize="off" />
      <button type="submit">Open</button>
    </form>
  );
}

export class Buckets extends Component {
  constructor(props) {
    super(props);
    this.state = { befores: [], after: '', prefix: '' };
  }

  render({ session }, { befores, after, prefix }) {
    const query = new URLSearchParams({ max: PAGE, ...(after && { after }), ...(prefix && { prefix }) });
    return (
      <div>
        <h1 tabIndex="-1">Buckets</h1>
        <Field
          label="Names that begin with"
          type="search"
          value={prefix}
          autocapitalize="off"
          onInput={(e) => this.setState({ prefix: e.target.value, after: '', befores: [] })}
        />
        <Live paths={{ page: '/v1/buckets?' + query }} pause={10000}>
          {({ page }) => (
            <div>
              <Table
                caption="Buckets"
                columns={COLUMNS}
                rows={page.buckets.map((b) => ({
                  key: b.name,
                  cells: [
                    <a href={'#/buckets/' + segment(b.name)}>{b.name}</a>,
                    date(b.created_ms),
                    session.access_key && (
                      <a href={'#/objects/' + segment(b.name)} aria-label={`Objects of ${b.name}`}>
                        Objects
                      </a>
                    ),
                  ],
                }))}
                empty={prefix ? 'No bucket has such a name.' : 'There is no bucket that you have rights on.'}
              />
              <Pager
                befores={befores}
                after={after}
                next={page.next}
                onGo={(place) => this.setState(place)}
              />
            </div>
          )}
        </Live>
        {!session.operator && <OpenBucket />}
      </div>
    );
  }
}

function held(usage) {
  return usage ? `${bytes(usage.bytes)} in ${number(usage.versions)} objects, counting each version` : 'not counted yet';
}

function limits(quota) {
  if (!quota) return 'none';
  const parts = [quota.bytes !== null && bytes(quota.bytes), quota.objects !== null && `${number(quota.objects)} objects`];
  return 'at most ' + parts.filter(Boolean).join(', ');
}

const KEY_COLUMNS = [{ title: 'Access key' }, { title: 'Label' }, { title: 'Rights' }];

export class Bucket extends Component {
  publicDialog(bucket, again, say) {
    const on = !bucket.public_read;
    return (
      <Confirm
        title={on ? `Make ${bucket.name} public` : `Make ${bucket.name} private`}
        action={on ? 'Make it public' : 'Make it private'}
        danger={on}
        request={() => ['PUT', `/v1/buckets/${segment(bucket.name)}/public-read`, { value: on ? 'on' : 'off' }]}
        onClose={() => this.setState({ asks: null })}
        onDone={finished(this, say, again)}
      >
        <p>
          {on
            ? 'Anybody who reaches this cluster may list this bucket and read all its objects, without an access key.'
            : 'Requests without an access key can no longer list it or read its objects.'}
        </p>
      </Confirm>
    );
  }

  show(bucket, again, { session, say }) {
    const facts = [
      ['Created (UTC)', date(bucket.created_ms)],
      ['Versioning', bucket.versioning],
      ['Holds', held(bucket.usage)],
      ['Quota', limits(bucket.quota)],
      ['Owner', bucket.owner || 'nobody'],
      ['Lifecycle rules', number(bucket.lifecycle_rules)],
      ['CORS rules', number(bucket.cors_rules)],
    ];
    const open = [bucket.public_read && 'list it', bucket.public_objects && 'read all objects', bucket.public_write && 'write'].filter(Boolean);
    return (
      <div>
        <p>
          {open.length ? <Badge kind="warning">public</Badge> : <Badge kind="good">private</Badge>}{' '}
          {open.length > 0 && `Anybody may ${open.join(', ')}. `}
          {session.operator && (
            <button onClick={() => this.setState({ asks: true })}>{bucket.public_read ? 'Make it private…' : 'Make it public…'}</button>
          )}
        </p>
        <p>
          {session.access_key ? (
            <a href={'#/objects/' + segment(bucket.name)}>Browse its objects</a>
          ) : (
            <span class="quiet">Sign in with an access key to browse its objects: the admin token has no rights on them.</span>
          )}
        </p>
        <Facts facts={facts} />
        <h2>Keys with rights on it</h2>
        <Table
          caption="Keys with rights on the bucket"
          columns={KEY_COLUMNS}
          rows={bucket.keys.map((k) => ({ key: k.access_key, cells: [<code>{k.access_key}</code>, k.label || '–', rightsOf(k)] }))}
          empty="No access key has rights on it; the root key has all."
        />
        {this.state.asks && this.publicDialog(bucket, again, say)}
      </div>
    );
  }

  render(props) {
    const { subject } = props;
    return (
      <div>
        <p class="back">
          <a href="#/buckets">‹ Buckets</a>
        </p>
        <h1 tabIndex="-1">{subject}</h1>
        <Live paths={{ bucket: '/v1/buckets/' + segment(subject) }} optional={['bucket']} pause={10000}>
          {({ bucket }, again, refused) => (bucket ? this.show(bucket, again, props) : <p class="notice">{refused.bucket.message}</p>)}
        </Live>
      </div>
    );
  }
}
