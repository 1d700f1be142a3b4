#include "cli/machine/judgement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::cli::judgement_test {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr wall_ms now = 1'800'000'000'000, day = 24ll * 3600 * 1000;
constexpr std::uint64_t gib = 1ull << 30;

disk_facts good_disk() {
  return {.path = "/srv/a",
          .folder = "/srv/a",
          .failure = {},
          .file_system = "ext4",
          .options = "rw,relatime",
          .device = 1,
          .space = {100 * gib, 50 * gib},
          .direct = true,
          .flushes = {400us, 500us, 9000us}};
}

verdict worst(const std::vector<finding>& findings) {
  verdict out = verdict::good;
  for (const auto& f : findings) out = std::max(out, f.found);
  return out;
}

verdict worst(const disk_facts& disk) {
  return worst(judge_disk(disk, "disk", 0));
}

TEST(judgement, a_clock_that_is_off_is_told) {
  EXPECT_EQ(judge_clock({now, true, now - day}).found, verdict::good);
  EXPECT_EQ(judge_clock({now, false, {}}).found, verdict::warning);
  EXPECT_EQ(judge_clock({86'400'000, true, {}}).found, verdict::problem);
  const auto back = judge_clock({now, true, now + 60 * 60'000});
  EXPECT_EQ(back.found, verdict::problem);
  EXPECT_THAT(back.text, HasSubstr("60 minutes behind"));
}

TEST(judgement, the_key_that_seals_secrets_is_there_and_nobody_elses) {
  EXPECT_EQ(judge_sealing({"/etc/keys", "630dcd29", {}, false}).found, verdict::good);
  EXPECT_EQ(judge_sealing({"/etc/keys", "630dcd29", {}, true}).found, verdict::warning);
  EXPECT_EQ(judge_sealing({}).found, verdict::note);
  EXPECT_EQ(judge_sealing({"/etc/keys", {}, "not_found: /etc/keys", false}).found, verdict::problem);
}

TEST(judgement, a_disk_is_judged_by_its_file_system_its_flushes_and_its_room) {
  EXPECT_EQ(worst(good_disk()), verdict::good);
  auto disk = good_disk();
  for (const auto* type : {"tmpfs", "nfs4", "9p"}) {
    disk.file_system = type;
    EXPECT_EQ(worst(disk), verdict::problem) << type;
  }
  disk.file_system = "overlay";
  EXPECT_EQ(worst(disk), verdict::warning);
  disk = good_disk();
  disk.options = "rw,nobarrier";
  EXPECT_EQ(worst(disk), verdict::problem);
  disk.options = "rw,nobarriers_at_all";
  EXPECT_EQ(worst(disk), verdict::good) << "another option";
  disk = good_disk();
  disk.space.available = gib;
  EXPECT_EQ(worst(disk), verdict::problem) << "the reserve is 1 GiB";
  disk = good_disk();
  disk.direct = false;
  EXPECT_EQ(worst(disk), verdict::note);
}

TEST(judgement, flushes_that_are_too_fast_or_too_slow_are_told) {
  auto disk = good_disk();
  disk.flushes = {1us, 2us, 3us};
  EXPECT_EQ(worst(disk), verdict::problem);
  disk.flushes = {20us, 25us, 30us};
  EXPECT_EQ(worst(disk), verdict::good) << "a disk with a protected cache";
  disk.flushes = {30ms, 30ms, 40ms};
  EXPECT_EQ(worst(disk), verdict::note);
  disk.flushes = {300ms, 300ms, 400ms};
  EXPECT_EQ(worst(disk), verdict::warning);
}

TEST(judgement, a_disk_that_cannot_be_written_is_not_judged_further) {
  disk_facts disk{.path = "/srv/a",
                  .folder = "/srv",
                  .failure = "no",
                  .file_system = "ext4",
                  .options = {},
                  .space = {},
                  .flushes = {}};
  EXPECT_EQ(worst(disk), verdict::problem);
}

TEST(judgement, disks_that_share_a_device_are_told_once_for_each_pair) {
  auto a = good_disk(), b = good_disk(), c = good_disk();
  b.path = "/srv/b", c.device = 2;
  const std::vector<disk_facts> disks{a, b, c};
  const auto found = judge_devices(disks);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].subject, HasSubstr("/srv/a and /srv/b"));
}

TEST(judgement, memory_and_open_files_are_compared_with_the_settings) {
  config::settings settings;
  settings.limits.memory.bytes = gib;
  settings.limits.cache = config::byte_size{2 * gib};
  EXPECT_EQ(judge_memory({8 * gib}, settings).found, verdict::good);
  EXPECT_EQ(judge_memory({3 * gib + (100 << 20)}, settings).found, verdict::warning);
  EXPECT_EQ(judge_memory({2 * gib}, settings).found, verdict::problem);
  EXPECT_EQ(judge_descriptors(1'000'000, settings).found, verdict::good);
  EXPECT_EQ(judge_descriptors(1024, settings).found, verdict::warning);
}

TEST(judgement, ports_certificates_and_peers) {
  const port_facts taken{"http.listen", {"127.0.0.1", 9000}, "listen on 127.0.0.1:9000: Address already in use"};
  EXPECT_EQ(judge_port(taken, {}).found, verdict::problem);
  EXPECT_EQ(judge_port(taken, {.runs = true}).found, verdict::good);
  EXPECT_EQ(judge_port({"http.listen", {"127.0.0.1", 9000}, {}}, {}).found, verdict::good);
  certificate_facts certificate{.key = "http.tls", .path = "a.pem", .failure = {}, .ends = now + 90 * day};
  EXPECT_EQ(judge_certificate(certificate, now).found, verdict::good);
  certificate.key_readable_by_others = true;
  EXPECT_EQ(judge_certificate(certificate, now).found, verdict::warning);
  certificate = {.key = "http.tls", .path = "a.pem", .failure = {}, .ends = now + 3 * day};
  EXPECT_EQ(judge_certificate(certificate, now).found, verdict::warning);
  certificate.ends = now - day;
  EXPECT_EQ(judge_certificate(certificate, now).found, verdict::problem);
  EXPECT_EQ(judge_peer({"a:1", {}}).found, verdict::good);
  EXPECT_EQ(judge_peer({"a:1", "refused"}).found, verdict::warning);
}

TEST(judgement, a_running_node_speaks_for_itself) {
  const config::settings settings;
  EXPECT_EQ(worst(judge_node({}, settings)), verdict::note);
  EXPECT_EQ(worst(judge_node({.runs = true}, settings)), verdict::good);
  EXPECT_EQ(worst(judge_node({.runs = true, .not_ready = "no leader"}, settings)), verdict::problem);
  EXPECT_EQ(worst(judge_node({.runs = true, .not_ready = {}, .down_nodes = {"3 (10.0.0.3:9100)"}}, settings)),
            verdict::warning);
}

TEST(finding, is_shown_as_text_and_as_json) {
  const std::vector<finding> all{{verdict::good, "clock", "is synchronised", {}},
                                 {verdict::problem, "disk \x1b[31m", "is gone", "find it"}};
  EXPECT_TRUE(has_problem(all));
  const auto text = findings_text(all);
  EXPECT_THAT(text, HasSubstr("good     clock: is synchronised\n"));
  EXPECT_THAT(text, HasSubstr("         → find it\n1 problem, 0 warnings\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(findings_json(all),
              HasSubstr(R"({"problems":1,"warnings":0,"findings":[{"verdict":"good","subject":"clock")"));
}

} // namespace cairn::cli::judgement_test
