// Messages about chunks on arbitrary bytes: never a crash, and what is accepted is the one encoding of its value.
#include "actors/protocol/chunk_messages.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

template <class Message>
void check(std::string_view bytes, std::size_t kind_bytes) {
  const auto m = cairn::actors::decode<Message>(bytes);
  if (m && std::string_view{encode(*m)}.substr(kind_bytes) != bytes) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cairn::actors;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  check<read_chunk_request>(bytes, 1);
  check<write_chunk_request>(bytes, 1);
  check<erase_chunks_request>(bytes, 1);
  check<read_chunk_answer>(bytes, 0);
  check<write_chunk_answer>(bytes, 0);
  check<erase_chunks_answer>(bytes, 0);
  return 0;
}
