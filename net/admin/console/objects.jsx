import { h, Component } from 'preact';
import { read, segment } from './api.js';
import { Live } from './live.jsx';
import { address, list, listAddress, makeFolder, removeAll, versionsAddress } from './s3.js';
import { UPLOADED, addUploads, droppedFiles } from './uploads.jsx';
import { Badge, Check, Confirm, Field, Name, Pager, Table, bytes, date, finished } from './widgets.jsx';

const COLUMNS = [{ title: 'Select' }, { title: 'Name' }, { title: 'Size', number: true }, { title: 'Changed (UTC)' }, { title: '' }];

export const objectsLink = (bucket, prefix) => `#/objects/${segment(bucket)}` + (prefix ? '/' + segment(prefix) : '');
export const objectLink = (bucket, key) => `#/object/${segment(bucket)}/${segment(key)}`;

// "bucket/prefix" of the address.
export function split(subject) {
  const slash = subject.indexOf('/');
  return slash < 0 ? [subject, ''] : [subject.slice(0, slash), subject.slice(slash + 1)];
}

export function loadAny(path) {
  return path.startsWith('/v1/s3/') ? list(path) : read(path);
}

// "a/b/" of "a/b/c" and of "a/b/c/".
export const folderOf = (name) => name.slice(0, name.slice(0, -1).lastIndexOf('/') + 1);

// Links to what is above: the buckets and, unless it is null, the folder.
export function Path({ bucket, folder }) {
  const parts = folder === null ? [] : folder.split('/').slice(0, -1);
  const links = [['#/buckets', 'Buckets']];
  if (folder !== null) links.push([objectsLink(bucket), bucket]);
  parts.forEach((part, i) => links.push([objectsLink(bucket, parts.slice(0, i + 1).join('/') + '/'), part || '(no name)']));
  return (
    <nav aria-label="Folders" class="path">
      <ol>
        {links.map(([to, text]) => (
          <li>
            <a href={to}>
              <Name of={text} />
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

export class Objects extends Component {
  constructor(props) {
    super(props);
    const [bucket, prefix] = split(props.subject);
    this.state = { bucket, prefix, begin: '', befores: [], after: '', deleted: false, chosen: [], asks: null, over: false };
    this.uploaded = () => this.again && this.again();
    this.drop = this.drop.bind(this);
    this.over = this.over.bind(this);
  }

  componentDidMount() {
    window.addEventListener(UPLOADED, this.uploaded);
  }

  componentWillUnmount() {
    window.removeEventListener(UPLOADED, this.uploaded);
  }

  go(place) {
    this.setState({ chosen: [], ...place });
  }

  choose(name, on) {
    this.setState((s) => ({ chosen: on ? [...s.chosen, name] : s.chosen.filter((c) => c !== name) }));
  }

  pick(event) {
    const files = [...event.target.files].map((file) => ({ file, path: file.name }));
    event.target.value = '';
    addUploads(this.state.bucket, this.state.prefix, files);
  }

  over(event) {
    if (!this.may || !this.may.write) return;
    event.preventDefault();
    this.setState({ over: event.type === 'dragover' });
  }

  async drop(event) {
    this.over(event);
    if (!this.may || !this.may.write) return;
    try {
      addUploads(this.state.bucket, this.state.prefix, await droppedFiles(event.dataTransfer));
    } catch (unreadable) {
      this.props.say('Something of what was dropped cannot be read.');
    }
  }

  row(name, key, cells, may) {
    const shown = name.slice(this.state.prefix.length);
    const select = may.delete && (
      <input
        type="checkbox"
        aria-label={`Select ${shown}`}
        checked={this.state.chosen.includes(name)}
        onChange={(e) => this.choose(name, e.target.checked)}
      />
    );
    return { key, cells: [select, ...cells] };
  }

  rows({ page, may }) {
    const { bucket, prefix } = this.state;
    const name = (full) => <Name of={full.slice(prefix.length)} />;
    const folders = page.folders.map((f) => this.row(f, 'folder ' + f, [<a href={objectsLink(bucket, f)}>{name(f)}</a>, '–', '', ''], may));
    const objects = page.objects
      .filter((o) => o.latest && o.key !== prefix)
      .map((o) => {
        const link = <a href={objectLink(bucket, o.key)}>{name(o.key)}</a>;
        const download = may.read && !o.deleted && (
          <a href={address(bucket, { key: o.key })} download aria-label={`Download ${o.key.slice(prefix.length)}`}>
            Download
          </a>
        );
        const size = o.deleted ? <Badge kind="warning">deleted</Badge> : bytes(o.size);
        const row = this.row(o.key, 'object ' + o.key, [link, size, date(o.modified), download], may);
        if (o.deleted) row.cells[0] = '';
        return row;
      });
    return [...folders, ...objects];
  }

  dialogs(again) {
    const { asks, bucket, prefix, chosen, count } = this.state;
    const close = () => this.setState({ asks: null });
    const done = finished(this, this.props.say, again);
    if (asks === 'folder')
      return (
        <Confirm
          title="Make a folder"
          action="Make"
          onClose={close}
          onDone={done}
          request={({ name }) => {
            const key = prefix + name.replace(/^\/+|\/+$/g, '') + '/';
            if (key === prefix + '/') return 'A folder needs a name.';
            if (new TextEncoder().encode(key).length > 1024) return 'The name is too long: keys have at most 1,024 bytes.';
            return () => makeFolder(bucket, key).then(() => ({ done: `Made the folder ${key}` }));
          }}
        >
          <Field label="Name" name="name" autocomplete="off" autocapitalize="off" hint="A slash begins a folder in the folder." />
        </Confirm>
      );
    if (asks !== 'delete') return null;
    const folders = chosen.filter((c) => c.endsWith('/'));
    return (
      <Confirm
        title={`Delete ${chosen.length} selected`}
        action="Delete"
        danger
        onClose={close}
        onDone={(answer) => (this.setState({ chosen: [] }), done(answer))}
        request={() => async () => {
          const keys = chosen.filter((c) => !c.endsWith('/'));
          const deleted = await removeAll(bucket, keys, folders, (n) => this.setState({ count: n }));
          return { done: `Deleted ${deleted} ${deleted === 1 ? 'object' : 'objects'}.` };
        }}
      >
        <p>
          {folders.length > 0 && `With all objects in ${folders.length === 1 ? 'the folder' : `${folders.length} folders`}. `}
          In a bucket with versioning earlier versions stay and can be restored; in any other bucket this cannot be undone.
        </p>
        <ul class="names">
          {chosen.slice(0, 20).map((c) => (
            <li>
              <Name of={c} />
            </li>
          ))}
          {chosen.length > 20 && <li>… and {chosen.length - 20} more</li>}
        </ul>
        {count > 0 && <p role="status">{count} deleted…</p>}
      </Confirm>
    );
  }

  toolbar(may) {
    const { chosen, deleted } = this.state;
    return (
      <p class="toolbar">
        {may.write && (
          <button class="primary" onClick={() => this.picker.click()}>
            Upload files…
          </button>
        )}
        {may.write && <button onClick={() => this.setState({ asks: 'folder' })}>Make a folder…</button>}
        {may.write && (
          <input
            type="file"
            multiple
            hidden
            aria-label="Files to upload"
            ref={(e) => (this.picker = e)}
            onChange={(e) => this.pick(e)}
          />
        )}
        {chosen.length > 0 && (
          <button class="danger" onClick={() => this.setState({ asks: 'delete', count: 0 })}>
            Delete {chosen.length} selected…
          </button>
        )}
        {may.list_versions && (
          <Check label="Show deleted" checked={deleted} onChange={(e) => this.go({ deleted: e.target.checked, after: '', befores: [] })} />
        )}
        <a href={'#/buckets/' + segment(this.state.bucket)}>Bucket settings</a>
      </p>
    );
  }

  show({ page, may }, again, refused) {
    const { befores, after, begin } = this.state;
    this.again = again;
    this.may = may || {};
    if (!may) return <p class="notice error">{refused.may.message}</p>;
    return (
      <div>
        {this.toolbar(may)}
        {page ? (
          <div>
            <Table
              caption="Objects and folders"
              columns={COLUMNS}
              rows={this.rows({ page, may })}
              empty={begin ? 'Nothing here has such a name.' : may.write ? 'Nothing is here yet. Drop files on this page, or choose them.' : 'Nothing is here.'}
            />
            <Pager befores={befores} after={after} next={page.next} onGo={(place) => this.go(place)} />
          </div>
        ) : (
          <p class="notice">{refused.page.message}</p>
        )}
        {this.dialogs(again)}
      </div>
    );
  }

  render(props, { bucket, prefix, begin, after, deleted, over }) {
    const from = prefix + begin;
    const page = deleted ? versionsAddress(bucket, from, after, '/') : listAddress(bucket, from, after);
    const may = `/v1/buckets/${segment(bucket)}/may?` + new URLSearchParams({ key: prefix });
    return (
      <div class={over ? 'drop over' : 'drop'} onDragOver={this.over} onDragLeave={this.over} onDrop={this.drop}>
        <Path bucket={bucket} folder={prefix ? folderOf(prefix) : null} />
        <h1 tabIndex="-1">
          <Name of={prefix.slice(folderOf(prefix).length) || bucket} />
        </h1>
        <Field
          label="Names that begin with"
          type="search"
          value={begin}
          autocapitalize="off"
          onInput={(e) => this.go({ begin: e.target.value, after: '', befores: [] })}
        />
        <Live paths={{ page, may }} optional={['page', 'may']} load={loadAny} pause={10000}>
          {(data, again, refused) => this.show(data, again, refused)}
        </Live>
      </div>
    );
  }
}
