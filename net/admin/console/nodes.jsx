import { h, Component } from 'preact';
import { change, read } from './api.js';
import { Live } from './live.jsx';
import { NodeDialog, actionsOf } from './node_actions.jsx';
import { Badge, Bar, Confirm, Dialog, NodeState, Table, bytes, duration, finished, number, percent } from './widgets.jsx';

const PAGE = 25;

const NODE_COLUMNS = [
  { title: 'Node' },
  { title: 'Address' },
  { title: 'Zone' },
  { title: 'State' },
  { title: 'Metadata' },
  { title: 'Weight', number: true },
  { title: 'Partitions', number: true },
  { title: 'Used' },
  { title: '' },
];

const DISK_COLUMNS = [
  { title: 'Disk' },
  { title: 'State' },
  { title: 'Used' },
  { title: 'Data', number: true },
  { title: 'Chunks', number: true },
  { title: 'Waiting reads and writes', number: true },
];

function Used({ used, size, data }) {
  if (!size) return <span class="quiet">not known</span>;
  const text = `${bytes(used)} of ${bytes(size)}${data === undefined ? '' : `; chunks ${bytes(data)}`}`;
  return (
    <span class="used">
      <Bar share={used / size} label={`${percent(used, size)} % used`} />
      <small>{text}</small>
    </span>
  );
}

function nodeRow(n, cluster, act) {
  const now = Date.now();
  const problems = [n.fault && `metadata: ${n.fault}`, n.closed_disks > 0 && `${n.closed_disks} disks closed`].filter(Boolean);
  return {
    key: n.number,
    cells: [
      <span>
        {n.number}
        {n.number === cluster.self && <small class="quiet"> this one</small>}
      </span>,
      <span title={n.id}>{n.address}</span>,
      n.zone || '–',
      <span>
        <NodeState node={n} /> {n.since_ms > 0 && <small class="quiet">{duration(now - n.since_ms)}</small>}
        {problems.map((p) => (
          <small class="problem"> {p}</small>
        ))}
      </span>,
      cluster.leader === n.number ? 'leader' : n.role,
      number(n.weight),
      n.partitions_incoming ? `${number(n.partitions_owned)} + ${number(n.partitions_incoming)}` : number(n.partitions_owned),
      <Used used={n.used_bytes} size={n.capacity_bytes} data={n.data_bytes} />,
      act && (
        <span class="actions">
          {actionsOf(n).map((a) => (
            <button class="small" aria-label={`${a.title} node ${n.number}`} onClick={() => act(a.name, n)}>
              {a.title}
            </button>
          ))}
        </span>
      ),
    ],
  };
}

function diskRow(d) {
  return {
    key: d.path,
    cells: [
      d.path,
      <Badge kind={d.state === 'healthy' ? 'good' : 'error'}>{d.state.replace('_', ' ')}</Badge>,
      <Used used={d.size_bytes - d.available_bytes} size={d.size_bytes} />,
      bytes(d.data_bytes),
      number(d.chunks),
      `${number(d.queued_reads)}, ${number(d.queued_writes)}`,
    ],
  };
}

// What a new node's configuration must have, with its token.
class Invitation extends Component {
  constructor(props) {
    super(props);
    this.state = { text: '', problem: '' };
  }

  async make() {
    try {
      const { done } = await change('POST', '/v1/cluster/invitations', { value: 3600 });
      const { configuration } = await read('/v1/cluster/join');
      this.setState({ text: configuration.replaceAll('JOIN-TOKEN', done.trim()), problem: '' });
    } catch (refusal) {
      this.setState({ problem: refusal.message });
    }
  }

  render({ onClose }, { text, problem }) {
    return (
      <Dialog title="Add a node" onClose={onClose}>
        {text ? (
          <div>
            <p>The token in it lets one node in, within an hour. It is shown only now.</p>
            <pre tabIndex="0">{text}</pre>
          </div>
        ) : (
          <p>A one-time token lets one new node join within the next hour. The configuration that the node needs is shown with it.</p>
        )}
        {problem && (
          <p class="notice error" role="alert">
            {problem}
          </p>
        )}
        <p class="buttons">
          <button onClick={onClose}>Close</button>
          {!text && (
            <button class="primary" onClick={() => this.make()}>
              Make a token
            </button>
          )}
        </p>
      </Dialog>
    );
  }
}

export class Nodes extends Component {
  constructor(props) {
    super(props);
    this.state = { page: 0, asks: null };
  }

  cluster(cluster, again, { session, say }, { page, asks }) {
    const act = session.operator ? (name, node) => this.setState({ asks: { name, node: node.number } }) : null;
    const pages = Math.ceil(cluster.nodes.length / PAGE);
    const shown = cluster.nodes.slice(page * PAGE, (page + 1) * PAGE);
    const node = asks && cluster.nodes.find((n) => n.number === asks.node);
    const close = () => this.setState({ asks: null });
    const columns = act ? NODE_COLUMNS : NODE_COLUMNS.slice(0, -1);
    const rows = shown.map((n) => nodeRow(n, cluster, act));
    return (
      <div>
        <Table caption="Nodes" columns={columns} rows={rows} empty="There are no nodes." />
        {pages > 1 && (
          <p class="pager">
            <button disabled={page === 0} onClick={() => this.setState({ page: page - 1 })}>
              ‹ Previous
            </button>
            <span>
              Page {page + 1} of {pages}
            </span>
            <button disabled={page + 1 >= pages} onClick={() => this.setState({ page: page + 1 })}>
              Next ›
            </button>
          </p>
        )}
        {session.operator && (
          <p>
            <button onClick={() => this.setState({ asks: { name: 'invite' } })}>Add a node…</button>
          </p>
        )}
        {cluster.waiting.map((w) => (
          <p class="notice warning" key={w.id}>
            {w.address} ({w.id}) asks to join.{' '}
            {session.operator && <button onClick={() => this.setState({ asks: { name: 'admit', waiting: w } })}>Admit…</button>}
          </p>
        ))}
        {node && <NodeDialog name={asks.name} node={node} cluster={cluster} onClose={close} onDone={finished(this, say, again)} />}
        {asks && asks.name === 'invite' && <Invitation onClose={close} />}
        {asks && asks.name === 'admit' && (
          <Confirm
            title="Admit a node"
            action="Admit"
            request={() => ['POST', '/v1/cluster/invitations', { value: 3600, id: asks.waiting.id }]}
            onClose={close}
            onDone={finished(this, say, again)}
          >
            <p>
              The node {asks.waiting.id} at {asks.waiting.address} becomes a member and gets a share of the data.
            </p>
          </Confirm>
        )}
      </div>
    );
  }

  render(props, state) {
    return (
      <div>
        <h1 tabIndex="-1">Nodes and disks</h1>
        <Live paths={{ cluster: '/v1/cluster', disks: '/v1/disks' }} optional={['cluster']}>
          {({ cluster, disks }, again, refused) => (
            <div>
              {cluster ? this.cluster(cluster, again, props, state) : <p class="notice">{refused.cluster.message}</p>}
              <h2>Disks of this node</h2>
              <Table caption="Disks of this node" columns={DISK_COLUMNS} rows={disks.disks.map(diskRow)} empty="This node has no open disk." />
            </div>
          )}
        </Live>
      </div>
    );
  }
}
