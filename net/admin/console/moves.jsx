import { h, Component } from 'preact';
import { Live } from './live.jsx';
import { Confirm, Facts, NodeState, Reasons, Table, bytes, finished, number } from './widgets.jsx';

const COLUMNS = [
  { title: 'Node' },
  { title: 'Address' },
  { title: 'State' },
  { title: 'Partitions it owns', number: true },
  { title: 'Moving to it', number: true },
];

export class Moves extends Component {
  show(moves, again, { session, say }) {
    const rows = moves.nodes.map((n) => ({
      key: n.number,
      cells: [
        n.number,
        n.address,
        <NodeState node={n} />,
        number(n.partitions_owned),
        number(n.partitions_incoming),
      ],
    }));
    const facts = [
      ['Partitions that move', number(moves.partitions_incoming)],
      ['Bytes to move', `about ${bytes(moves.bytes_to_move)}`],
      ['Partitions with too few replicas', number(moves.partitions_under_replicated)],
      ['Repairs that wait', number(moves.repairs_waiting)],
      ['Chunks lost', number(moves.chunks_lost)],
    ];
    return (
      <div>
        {moves.reasons.length ? <Reasons reasons={moves.reasons} /> : <p class="notice good">Nothing moves, and nothing waits.</p>}
        <Facts facts={facts} />
        {session.operator && (
          <p>
            <button onClick={() => this.setState({ asks: true })}>Scan for missing and damaged replicas now…</button>
          </p>
        )}
        <h2>By node</h2>
        <Table caption="Partitions by node" columns={COLUMNS} rows={rows} empty="There are no nodes." />
        {this.state.asks && (
          <Confirm
            title="Scan for missing and damaged replicas"
            action="Look now"
            request={() => ['POST', '/v1/cluster/repair']}
            onClose={() => this.setState({ asks: null })}
            onDone={finished(this, say, again)}
          >
            <p>Every node compares its chunks with the metadata and reads them once. Requests are served meanwhile, with less of the disks.</p>
          </Confirm>
        )}
      </div>
    );
  }

  render(props) {
    return (
      <div>
        <h1 tabIndex="-1">Moves and repairs</h1>
        <Live paths={{ moves: '/v1/moves' }} optional={['moves']}>
          {({ moves }, again, refused) => (moves ? this.show(moves, again, props) : <p class="notice">{refused.moves.message}</p>)}
        </Live>
      </div>
    );
  }
}
