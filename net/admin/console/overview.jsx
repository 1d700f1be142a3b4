import { h, Component } from 'preact';
import { Live } from './live.jsx';
import { Bar, Line, Reasons, bytes, duration, number, percent } from './widgets.jsx';

const KEPT = 90; // samples

const HEADLINES = {
  error: 'Action needed',
  warning: 'Warnings',
  info: 'Healthy, work in progress',
  well: 'Healthy',
};

function worst(reasons) {
  return ['error', 'warning', 'info'].find((s) => reasons.some((r) => r.severity === s)) || 'well';
}

// What changed a second between two samples of counters that begin at 0 with the node.
function rates(samples, value) {
  return samples.slice(1).map((s, i) => {
    const before = samples[i];
    const seconds = (s.now_ms - before.now_ms) / 1000;
    return seconds > 0 && s.uptime_ms >= before.uptime_ms ? Math.max(0, value(s) - value(before)) / seconds : 0;
  });
}

function Card({ title, value, children }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      <p class="value">{value}</p>
      {children}
    </section>
  );
}

function Rate({ title, values, show }) {
  const last = values.length ? values[values.length - 1] : 0;
  return (
    <Card title={title} value={show(last)}>
      <Line values={values} label={`${title}: now ${show(last)}, at most ${show(Math.max(0, ...values))} lately`} />
    </Card>
  );
}

const perSecond = (n) => `${n < 10 ? n.toFixed(1) : number(Math.round(n))}/s`;
const bytesPerSecond = (n) => `${bytes(n)}/s`;

function Capacity({ cluster, disks }) {
  const list = cluster
    ? cluster.nodes.map((n) => ({ used: n.used_bytes, size: n.capacity_bytes, data: n.data_bytes }))
    : disks.disks.map((d) => ({ used: d.size_bytes - d.available_bytes, size: d.size_bytes, data: d.data_bytes }));
  const sum = (what) => list.reduce((all, one) => all + one[what], 0);
  const used = sum('used'), size = sum('size');
  return (
    <Card title="Capacity" value={`${percent(used, size)} % used`}>
      <Bar share={size ? used / size : 0} label={`${bytes(used)} of ${bytes(size)} used`} />
      <p class="quiet">
        {bytes(used)} of {bytes(size)} of the file systems; {bytes(sum('data'))} stored by Cairn, replicas included
      </p>
    </Card>
  );
}

function Members({ cluster }) {
  const up = cluster.nodes.filter((n) => n.up).length;
  return (
    <Card title="Nodes" value={`${up} of ${cluster.nodes.length} up`}>
      <p class="quiet">
        {cluster.leader === null ? 'No leader' : `Node ${cluster.leader} leads`}; {cluster.replicas} replicas of each chunk; voters{' '}
        {cluster.voters.join(', ') || 'not known'}
      </p>
    </Card>
  );
}

function Work({ cluster }) {
  const incoming = cluster.nodes.reduce((all, n) => all + n.partitions_incoming, 0);
  const waits = cluster.repairs_waiting + incoming;
  return (
    <Card title="Repairs and moves" value={waits === 0 ? 'None' : number(waits)}>
      <p class="quiet">
        {number(cluster.repairs_waiting)} repairs wait; {number(incoming)} partitions move, about {bytes(cluster.bytes_to_move)};{' '}
        {number(cluster.partitions_under_replicated)} partitions have too few replicas
      </p>
    </Card>
  );
}

export class Overview extends Component {
  constructor(props) {
    super(props);
    this.samples = [];
  }

  note({ node }) {
    if (node) this.samples = [...this.samples, node].slice(-KEPT);
  }

  show({ cluster, node, disks }, refused) {
    const missing = !cluster && node.clustered && refused.cluster ? [{ severity: 'error', text: `The cluster's status is not known: ${refused.cluster.message}` }] : [];
    const reasons = [...missing, ...((cluster && cluster.reasons) || []), ...node.reasons];
    const kind = worst(reasons);
    const errors = (s) => s.requests.server_errors;
    const memory = node.memory;
    return (
      <div>
        <section class={`headline ${kind}`} aria-label="Health">
          <p class="state">{HEADLINES[kind]}</p>
          {reasons.length ? <Reasons reasons={reasons} /> : <p>No problems, no repairs waiting, no moves in progress.</p>}
        </section>
        <div class="cards">
          {(cluster || !node.clustered) && <Capacity cluster={cluster} disks={disks} />}
          {cluster && <Members cluster={cluster} />}
          {cluster && <Work cluster={cluster} />}
        </div>
        <h2>This node</h2>
        <div class="cards">
          <Rate title="Requests" values={rates(this.samples, (s) => s.requests.total)} show={perSecond} />
          <Rate title="Server errors" values={rates(this.samples, errors)} show={perSecond} />
          <Rate title="Sent" values={rates(this.samples, (s) => s.requests.bytes_sent)} show={bytesPerSecond} />
          <Rate title="Received" values={rates(this.samples, (s) => s.requests.bytes_received)} show={bytesPerSecond} />
          <Card title="Connections" value={number(node.connections)}>
            <p class="quiet">
              {number(node.downloads)} downloads and {number(node.uploads)} uploads now
            </p>
          </Card>
          <Card title="Memory of requests" value={bytes(memory.buffer_bytes)}>
            <Bar share={memory.buffer_bytes / memory.buffer_limit_bytes} label={`of ${bytes(memory.buffer_limit_bytes)}`} />
            <p class="quiet">
              of {bytes(memory.buffer_limit_bytes)}; cache {bytes(memory.cache_bytes)} of {bytes(memory.cache_limit_bytes)}
            </p>
          </Card>
        </div>
        <p class="quiet">
          Version {node.version}, up for {duration(node.uptime_ms)}. Since then {number(node.requests.total)} requests,{' '}
          {number(errors(node))} server errors, {number(node.requests.client_errors)} refused.
        </p>
      </div>
    );
  }

  render() {
    return (
      <div>
        <h1 tabIndex="-1">Overview</h1>
        <Live
          paths={{ cluster: '/v1/cluster', node: '/v1/node', disks: '/v1/disks' }}
          optional={['cluster']}
          onData={(data) => this.note(data)}
        >
          {(data, again, refused) => this.show(data, refused)}
        </Live>
      </div>
    );
  }
}
