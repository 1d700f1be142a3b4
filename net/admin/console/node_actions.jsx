import { h } from 'preact';
import { segment } from './api.js';
import { Confirm, Field, bytes, number } from './widgets.jsx';

const ACTIONS = [
  { name: 'drain', title: 'Drain', offered: (n) => n.state === 'active' },
  { name: 'activate', title: 'Activate', offered: (n) => n.state !== 'active' },
  { name: 'weight', title: 'Weight', offered: () => true },
  { name: 'zone', title: 'Zone', offered: () => true },
  { name: 'remove', title: 'Remove', offered: (n) => n.state !== 'active' },
];

export function actionsOf(node) {
  return ACTIONS.filter((a) => a.offered(node));
}

function others(cluster, node) {
  return cluster.nodes.filter((n) => n.number !== node.number && n.state === 'active');
}

function free(nodes) {
  return nodes.reduce((sum, n) => sum + Math.max(0, n.capacity_bytes - n.used_bytes), 0);
}

function count(n, what) {
  return `${number(n)} ${what}${n === 1 ? '' : 's'}`;
}

function DrainPreview({ node, cluster }) {
  const rest = others(cluster, node);
  const room = free(rest.filter((n) => n.up));
  const haveAll = node.state === 'active' && rest.length < cluster.replicas;
  return (
    <div>
      <p>
        Node {node.number} owns {count(node.partitions_owned, 'partition')} with {bytes(node.data_bytes)} of data.{' '}
        {haveAll
          ? 'The other active nodes own them too: they check that they have everything, and fetch what they lack.'
          : `They move to ${count(rest.length, 'other active node')} with ${bytes(room)} free.`}{' '}
        Requests are served meanwhile.
      </p>
      {rest.length < cluster.replicas && (
        <p class="notice warning">
          The cluster is configured for {cluster.replicas} replicas of each chunk. With {count(rest.length, 'active node')} there are fewer.
        </p>
      )}
      {!haveAll && room < node.data_bytes && <p class="notice error">The others have less free space than this node has data.</p>}
    </div>
  );
}

function WeightPreview({ node, cluster }) {
  const active = cluster.nodes.filter((n) => n.state === 'active');
  const total = active.reduce((sum, n) => sum + n.weight, 0);
  return (
    <p>
      {active.length <= cluster.replicas
        ? `With ${count(active.length, 'active node')} and ${cluster.replicas} replicas each node holds everything, whatever its weight, unless it is 0.`
        : `Now ${number(node.weight)} of ${number(total)}: that is its share of new and present data. Changing it moves partitions.`}
    </p>
  );
}

// The dialog of one action on one node.
export function NodeDialog({ name, node, cluster, onClose, onDone }) {
  const path = '/v1/nodes/' + segment(node.number);
  const common = { onClose, onDone };
  switch (name) {
    case 'drain':
      return (
        <Confirm {...common} title={`Drain node ${node.number}`} action="Drain" danger request={() => ['POST', path + '/drain']}>
          <DrainPreview node={node} cluster={cluster} />
        </Confirm>
      );
    case 'activate':
      return (
        <Confirm {...common} title={`Activate node ${node.number}`} action="Activate" request={() => ['POST', path + '/activate']}>
          <p>It gets its share of the data again: partitions move to it from {count(others(cluster, node).length, 'active node')}.</p>
        </Confirm>
      );
    case 'weight':
      return (
        <Confirm {...common} title={`Weight of node ${node.number}`} action="Set" request={(f) => ['PUT', path + '/weight', { value: f.value }]}>
          <WeightPreview node={node} cluster={cluster} />
          <Field label="Weight" name="value" type="number" min="0" max="1000000000" required defaultValue={node.weight} hint="0: it holds no chunks" />
        </Confirm>
      );
    case 'zone':
      return (
        <Confirm {...common} title={`Zone of node ${node.number}`} action="Set" request={(f) => ['PUT', path + '/zone', { value: f.value }]}>
          <p>Nodes of one zone fail together: replicas are placed in different zones where there are enough. Changing it moves partitions.</p>
          <Field label="Zone" name="value" maxlength="64" required pattern="[!-~]+" defaultValue={node.zone} hint="A rack, a room: visible ASCII, no blanks" />
        </Confirm>
      );
    default:
      return (
        <Confirm
          {...common}
          title={`Remove node ${node.number}`}
          action="Remove for good"
          danger
          request={(f) =>
            f.typed === String(node.number) ? ['DELETE', path] : `Type ${node.number} to confirm.`
          }
        >
          <p>
            Its identity never comes back.{' '}
            {node.partitions_owned > 0
              ? `It still owns ${count(node.partitions_owned, 'partition')}, so the cluster will refuse this: drain it first.`
              : 'It owns nothing any more.'}
          </p>
          <Field label={`Type ${node.number} to confirm`} name="typed" autocomplete="off" required />
        </Confirm>
      );
  }
}
