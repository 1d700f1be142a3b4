import { h, Component } from 'preact';
import { address, firstBytes } from './s3.js';
import { bytes } from './widgets.jsx';

const TEXT_BYTES = 64 << 10;
const IMAGE_BYTES = 16 << 20;
// Without SVG, which is a document with scripts: it is shown as text.
const IMAGES = /^image\/(png|jpeg|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon)$/i;

// Text as UTF-8; null: it is something else. The end may be within a character.
function textOf(found) {
  if (found.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(found, { stream: true });
  } catch (other) {
    return null;
  }
}

// What an object has, as far as it can be shown without running it: raster images, and the begin of a text.
export class Preview extends Component {
  async componentDidMount() {
    const { bucket, name, found } = this.props;
    this.image = IMAGES.test(found.type.split(';')[0].trim());
    if (this.image || found.size === 0) return this.setState({});
    try {
      this.setState({ text: textOf(await firstBytes(bucket, name, found.version, TEXT_BYTES)), read: true });
    } catch (refusal) {
      this.setState({ problem: refusal.message });
    }
  }

  content({ bucket, name, found }, { text, read, problem }) {
    if (found.size === 0) return <p class="quiet">It is empty.</p>;
    if (this.image && found.size > IMAGE_BYTES) return <p class="quiet">The image is larger than {bytes(IMAGE_BYTES)}: download it.</p>;
    if (this.image && problem) return <p class="quiet">{problem}</p>;
    if (this.image)
      return (
        <img
          class="preview"
          src={address(bucket, { key: name, versionId: found.version })}
          alt="The image"
          onError={() => this.setState({ problem: 'This is no image that the browser can show.' })}
        />
      );
    if (problem) return <p class="quiet">{problem}</p>;
    if (!read) return <p class="quiet">Loading…</p>;
    if (text === null || text === undefined) return <p class="quiet">It is neither text nor an image.</p>;
    return (
      <div>
        <pre class="preview" tabIndex="0" aria-label="Its text">
          {text}
        </pre>
        {found.size > TEXT_BYTES && <p class="quiet">The first {bytes(TEXT_BYTES)} of {bytes(found.size)}.</p>}
      </div>
    );
  }

  render(props, state) {
    return (
      <section aria-labelledby="preview-title">
        <h2 id="preview-title">Preview</h2>
        {this.content(props, state)}
      </section>
    );
  }
}
