#include "net/admin/metrics_page.hpp"

#include "tests/net/s3/operation_named.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace cairn::net::metrics_page_test {

TEST(metrics_page, shows_counters_gauges_and_histograms_as_prometheus_text) {
  node_metrics metrics;
  auto& get = metrics.http[row_named("get_object")];
  get.by_status_class[2] = 5;
  get.by_status_class[5] = 1;
  get.duration.observe_us(20);
  get.duration.observe_us(100'000'000);
  metrics.bytes_sent = 12345;
  actors::node_status status;
  status.buffer_bytes = 4096;
  status.buffer_limit_bytes = 1 << 20;
  status.disks.push_back({"/data/d0", {}, 3, 0, true});
  const auto page = metrics_page(metrics, status, s3_operations, "1.2.3");
  for (const auto* line :
       {"cairn_http_requests_total{operation=\"get_object\",status=\"2xx\"} 5",
        "cairn_http_requests_total{operation=\"get_object\",status=\"5xx\"} 1",
        "cairn_http_request_duration_seconds_bucket{operation=\"get_object\",le=\"1.6e-05\"} 0",
        "cairn_http_request_duration_seconds_bucket{operation=\"get_object\",le=\"3.2e-05\"} 1",
        "cairn_http_request_duration_seconds_bucket{operation=\"get_object\",le=\"+Inf\"} 2",
        "cairn_http_request_duration_seconds_count{operation=\"get_object\"} 2", "cairn_http_sent_bytes_total 12345",
        "cairn_buffer_bytes 4096", "cairn_build_info{version=\"1.2.3\"} 1", "cairn_buffer_limit_bytes 1048576",
        "cairn_disk_read_queue{disk=\"/data/d0\"} 3"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
  }
}

TEST(metrics_page, shows_the_members_on_the_leader_only) {
  auto cluster = std::make_shared<actors::cluster_status>();
  cluster->leader = 1;
  cluster->self = 1;
  cluster->term = 7;
  cluster->repairs_waiting = 3;
  cluster->chunks_lost = 2;
  cluster->auto_out.paused = cluster::out_pause::zone_down;
  cluster->nodes.resize(2);
  cluster->nodes[0].up = true;
  cluster->nodes[1].number = 1;
  cluster->nodes[1].applied_index = 99;
  actors::node_status status;
  status.cluster = cluster;
  const auto page = metrics_page({}, status, s3_operations, "1.2.3");
  for (const auto* line :
       {"cairn_cluster_leads 1", "cairn_cluster_term 7", "cairn_cluster_applied_index 99",
        "cairn_cluster_repairs_waiting 3", "cairn_cluster_chunks_lost 2",
        "cairn_cluster_members{state=\"active\",up=\"1\"} 1", "cairn_cluster_auto_out_paused{reason=\"many_down\"} 0",
        "cairn_cluster_auto_out_paused{reason=\"zone_down\"} 1", "cairn_cluster_members{state=\"active\",up=\"0\"} 1",
        "cairn_cluster_members{state=\"out\",up=\"0\"} 0"})
    EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
  auto other = std::make_shared<actors::cluster_status>(*cluster);
  other->self = 0;
  status.cluster = other;
  EXPECT_NE(metrics_page({}, status, s3_operations, "1.2.3").find("cairn_cluster_leads 0"), std::string::npos);
  EXPECT_EQ(metrics_page({}, status, s3_operations, "1.2.3").find("cairn_cluster_repairs_waiting 3"),
            std::string::npos);
}

TEST(metrics_page, is_documented_family_by_family) {
  std::ifstream file{CAIRN_SOURCE_DIR "/docs/metrics.md"};
  ASSERT_TRUE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  std::istringstream page{
      metrics_page({}, {}, s3_operations, "1.2.3")}; // a family without a value is there with its type
  std::size_t families = 0;
  for (std::string word, name; page >> word;) {
    if (word != "TYPE") continue;
    page >> name;
    ++families;
    EXPECT_NE(text.str().find("`" + name + "`"), std::string::npos) << name;
  }
  EXPECT_GT(families, 80u);
}

} // namespace cairn::net::metrics_page_test
