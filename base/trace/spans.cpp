#include "base/trace/spans.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

bool is_of_chunk(span_name name) {
  return name == span_name::read_chunk || name == span_name::write_chunk;
}

} // namespace

std::string_view to_string(span_name name) noexcept {
  switch (name) {
    case span_name::authorize: return "authorize";
    case span_name::look_up: return "look_up";
    case span_name::barrier: return "barrier";
    case span_name::commit: return "commit";
    case span_name::read_chunk: return "read_chunk";
    case span_name::write_chunk: return "write_chunk";
  }
  return "";
}

std::size_t request_trace::room_for(span_name name) const {
  return is_of_chunk(name) ? chunk_spans_max : name == span_name::commit ? spans_max : spans_before_commits_max;
}

span_number request_trace::begin(const trace_span& begun) {
  const std::lock_guard guard{mutex_};
  if (closed_) return 0;
  if (spans_.size() >= room_for(begun.name)) {
    ++left_out_;
    return 0;
  }
  spans_.push_back(begun);
  return static_cast<span_number>(spans_.size());
}

void request_trace::end(span_number number, steady_time at, errc outcome) {
  const std::lock_guard guard{mutex_};
  if (number == 0 || closed_) return;
  spans_[number - 1u].end = at;
  spans_[number - 1u].outcome = outcome;
}

void request_trace::add(const trace_span& ended) {
  const std::lock_guard guard{mutex_};
  if (closed_) return;
  if (spans_.size() < room_for(ended.name)) return spans_.push_back(ended);
  ++left_out_;
  if (is_of_chunk(ended.name)) keep_if_longer(ended);
}

// Spans of chunks are nobody's parent, so one may take another's number.
void request_trace::keep_if_longer(const trace_span& ended) {
  trace_span* shortest = nullptr;
  for (auto& s : spans_)
    if (is_of_chunk(s.name) && (shortest == nullptr || s.end - s.start < shortest->end - shortest->start))
      shortest = &s;
  if (shortest != nullptr && ended.end - ended.start > shortest->end - shortest->start) *shortest = ended;
}

request_trace::recorded request_trace::close(steady_time at) {
  const std::lock_guard guard{mutex_};
  closed_ = true;
  for (auto& s : spans_)
    if (s.end == steady_time{}) s.end = at;
  return {std::exchange(spans_, {}), left_out_};
}

trace_scope trace_scope::begin(span_name name, steady_time at) const {
  if (!trace) return {};
  return {trace, trace->begin({.name = name, .parent = parent, .start = at})};
}

void trace_scope::end(steady_time at, errc outcome) const {
  if (trace) trace->end(parent, at, outcome);
}

void trace_scope::add(trace_span ended) const {
  ended.parent = parent;
  trace->add(ended);
}

} // namespace cairn
