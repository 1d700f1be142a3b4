import { h, Component } from 'preact';
import { change, segment } from './api.js';
import { Live } from './live.jsx';
import { address, copyOver, head, putTags, remove, tags, versionsAddress } from './s3.js';
import { Path, folderOf, loadAny, split } from './objects.jsx';
import { Preview } from './preview.jsx';
import { Badge, Choice, Confirm, Dialog, Facts, Field, Name, Pager, Table, bytes, date, finished } from './widgets.jsx';

const TAGS_MAX = 10;
const ENDS = [
  [3600, '1 hour'],
  [86400, '1 day'],
  [604800, '7 days'],
];
const VERSIONS = [{ title: 'Version' }, { title: 'Changed (UTC)' }, { title: 'Size', number: true }, { title: 'State' }, { title: '' }];
const PAIRS = [{ title: 'Name' }, { title: 'Value' }];

function Pairs({ caption, pairs, empty }) {
  const rows = pairs.map(([name, value]) => ({ key: name, cells: [<Name of={name} />, <Name of={value} />] }));
  return <Table caption={caption} columns={PAIRS} rows={rows} empty={empty} />;
}

class Tags extends Component {
  constructor(props) {
    super(props);
    this.state = { rows: [...props.tags, ['', '']].slice(0, TAGS_MAX) };
  }

  type(row, cell) {
    return (e) => this.setState((s) => ({ rows: s.rows.map((r, i) => (i !== row ? r : r.map((text, j) => (j === cell ? e.target.value : text)))) }));
  }

  render({ bucket, name, onClose, onDone }, { rows }) {
    return (
      <Confirm
        title="Tags"
        action="Save"
        onClose={onClose}
        onDone={onDone}
        request={() => {
          const given = rows.filter(([tag, value]) => tag || value);
          if (given.some(([tag]) => !tag)) return 'A tag needs a name.';
          return () => putTags(bucket, name, given).then(() => ({ done: 'Saved the tags.' }));
        }}
      >
        <p>A tag without a name and value is removed.</p>
        {rows.map(([tag, value], i) => (
          <div class="pair" key={i}>
            <Field label={`Tag ${i + 1}`} name={`tag-${i}`} value={tag} onInput={this.type(i, 0)} maxlength="128" autocomplete="off" />
            <Field label={`Value ${i + 1}`} name={`value-${i}`} value={value} onInput={this.type(i, 1)} maxlength="256" autocomplete="off" />
          </div>
        ))}
        {rows.length < TAGS_MAX && (
          <button type="button" class="small" onClick={() => this.setState({ rows: [...rows, ['', '']] })}>
            One more
          </button>
        )}
      </Confirm>
    );
  }
}

// Makes a link, then shows it.
class Share extends Component {
  render({ bucket, name, session, onClose }, { link }) {
    if (link)
      return (
        <Dialog title="The link" onClose={onClose}>
          <p>
            Who has it can read this object until {date(link.expires_ms)} UTC, as the access key {session.access_key}. Before that it ends only
            with the key, or with the key's right to read.
          </p>
          <label class="field wide">
            <span>Link</span>
            <input id="link" readOnly value={link.url} onFocus={(e) => e.target.select()} />
          </label>
          <p class="buttons">
            {navigator.clipboard && <button onClick={() => navigator.clipboard.writeText(link.url)}>Copy</button>}
            <button class="primary" onClick={onClose}>
              Close
            </button>
          </p>
        </Dialog>
      );
    return (
      <Confirm
        title="Share this object"
        action="Make a link"
        onClose={onClose}
        onDone={(made) => this.setState({ link: made })}
        request={({ seconds, endpoint }) => () =>
          change('POST', `/v1/buckets/${segment(bucket)}/links`, { key: name, seconds, endpoint: endpoint.trim().replace(/\/$/, '') })}
      >
        <Choice label="It ends after" name="seconds" options={ENDS} />
        <Field
          label="Address of the S3 port"
          name="endpoint"
          autocomplete="off"
          autocapitalize="off"
          hint="As those reach it who get the link, with http or https. Empty: this host."
        />
      </Confirm>
    );
  }
}

export class ObjectPage extends Component {
  constructor(props) {
    super(props);
    const [bucket, name] = split(props.subject);
    this.state = { bucket, name, asks: null, befores: [], after: '' };
    this.load = this.load.bind(this);
  }

  load(path) {
    const { bucket, name } = this.state;
    if (path === 'head') return head(bucket, name);
    if (path === 'tags') return tags(bucket, name);
    return loadAny(path);
  }

  dialogs(data, again) {
    const { asks, bucket, name } = this.state;
    const { say, session } = this.props;
    const close = () => this.setState({ asks: null });
    const done = finished(this, say, again);
    if (!asks) return null;
    if (asks.what === 'tags') return <Tags bucket={bucket} name={name} tags={data.tags || []} onClose={close} onDone={done} />;
    if (asks.what === 'share') return <Share bucket={bucket} name={name} session={session} onClose={close} />;
    const question = {
      delete: ['Delete this object', 'Delete', () => remove(bucket, name), 'Deleted.',
        'In a bucket with versioning its versions stay and can be restored; in any other bucket this cannot be undone.'],
      purge: [`Remove version ${asks.version}`, 'Remove for good', () => remove(bucket, name, asks.version), 'Removed the version.',
        'This version is lost. It cannot be restored.'],
      copy: [`Restore version ${asks.version}`, 'Restore', () => copyOver(bucket, name, asks.version), 'Restored.',
        'A copy of this version becomes the current one. With versioning the one that is current now stays as an earlier version.'],
      unmark: ['Restore this object', 'Restore', () => remove(bucket, name, asks.version), 'Restored.',
        'Removes the delete marker, so that the version before it is the current one again.'],
    }[asks.what];
    const [title, action, act, said, text] = question;
    return (
      <Confirm
        title={title}
        action={action}
        danger={asks.what === 'delete' || asks.what === 'purge'}
        onClose={close}
        onDone={done}
        request={() => () => act().then(() => ({ done: said }))}
      >
        <p>{text}</p>
      </Confirm>
    );
  }

  versions({ versions, may }) {
    const { bucket, name, befores, after } = this.state;
    const own = versions.objects.filter((v) => v.key === name);
    // Those of other keys that begin so come after them.
    const next = own.length === versions.objects.length && own.length > 0 ? versions.next : '';
    const ask = (what, version) => () => this.setState({ asks: { what, version } });
    const rows = own.map((v) => ({
      key: v.version,
      cells: [
        <code>{v.version}</code>,
        date(v.modified),
        v.deleted ? '–' : bytes(v.size),
        <span>
          {v.latest && <Badge kind="good">current</Badge>} {v.deleted && <Badge kind="warning">delete marker</Badge>}
        </span>,
        <span class="actions">
          {!v.deleted && may.read && (
            <a href={address(bucket, { key: name, versionId: v.version })} download aria-label={`Download version ${v.version}`}>
              Download
            </a>
          )}
          {!v.deleted && !v.latest && may.write && may.read && (
            <button class="small" aria-label={`Restore version ${v.version}`} onClick={ask('copy', v.version)}>
              Restore
            </button>
          )}
          {v.deleted && v.latest && may.delete_versions && (
            <button class="small" aria-label="Restore the object" onClick={ask('unmark', v.version)}>
              Restore
            </button>
          )}
          {may.delete_versions && (
            <button class="small" aria-label={`Remove version ${v.version}`} onClick={ask('purge', v.version)}>
              Remove
            </button>
          )}
        </span>,
      ],
    }));
    return (
      <div>
        <h2>Versions</h2>
        <Table caption="Versions" columns={VERSIONS} rows={rows} empty="It has no versions." />
        <Pager befores={befores} after={after} next={next} onGo={(place) => this.setState(place)} />
      </div>
    );
  }

  facts(found) {
    return [
      ['Size', bytes(found.size)],
      ['Changed (UTC)', date(found.modified)],
      ['Type', <Name of={found.type} />],
      ['ETag', <code>{found.etag}</code>],
      ...found.headers.map(([header, value]) => [header, <Name of={value} />]),
    ];
  }

  show(data, again, refused) {
    const { bucket, name } = this.state;
    const { found, may } = data;
    if (!may) return <p class="notice error">{refused.may.message}</p>;
    const ask = (what) => () => this.setState({ asks: { what } });
    return (
      <div>
        {!found && <p class="notice">{refused.found.status === 404 ? 'There is no such object now: it was deleted, or never stored.' : refused.found.message}</p>}
        {found && (
          <p class="toolbar">
            <a class="button primary" href={address(bucket, { key: name })} download>
              Download
            </a>
            <button onClick={ask('share')}>Share…</button>
            {may.delete && <button onClick={ask('delete')}>Delete…</button>}
          </p>
        )}
        {found && <Facts facts={this.facts(found)} />}
        {found && <Preview key={found.etag + found.version} bucket={bucket} name={name} found={found} />}
        {found && <h2>Metadata</h2>}
        {found && <Pairs caption="Metadata" pairs={found.metadata} empty="It has no metadata of its own." />}
        {found && data.tags && <h2>Tags</h2>}
        {found && data.tags && <Pairs caption="Tags" pairs={data.tags} empty="It has no tags." />}
        {found && data.tags && may.write_tags && (
          <p>
            <button onClick={ask('tags')}>Edit the tags…</button>
          </p>
        )}
        {data.versions && this.versions(data)}
        {this.dialogs(data, again)}
      </div>
    );
  }

  render(props, { bucket, name, after }) {
    const folder = folderOf(name);
    const may = `/v1/buckets/${segment(bucket)}/may?` + new URLSearchParams({ key: name });
    const paths = { found: 'head', tags: 'tags', may, versions: versionsAddress(bucket, name, after) };
    return (
      <div>
        <Path bucket={bucket} folder={folder} />
        <h1 tabIndex="-1">
          <Name of={name.slice(folder.length)} />
        </h1>
        <Live paths={paths} optional={Object.keys(paths)} load={this.load} pause={10000}>
          {(data, again, refused) => this.show(data, again, refused)}
        </Live>
      </div>
    );
  }
}
