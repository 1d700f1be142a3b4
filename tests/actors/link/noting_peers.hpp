// A network that writes down what is asked; the test answers.
#pragma once

#include "actors/link/peer_service.hpp"
#include "actors/link/peers.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <utility>
#include <vector>

namespace cairn::actors {

class noting_peers final : public peers {
public:
  struct note {
    uuid to{};
    peer_request kind{};
    std::string bytes; // without the kind
    link::reply_callback reply;
  };
  link::request_number call(const uuid& to, std::string request, steady_time, link::reply_callback reply) override {
    calls.push_back({to, peer_request(request.front()), request.substr(1), std::move(reply)});
    return calls.size();
  }
  link::request_number call_bulk(const uuid&, std::string, slice, steady_time, link::reply_callback) override {
    ADD_FAILURE() << "no payloads travel";
    return 0;
  }
  link::request_number send_bulk(const uuid&, std::string, slice, steady_time, link::reply_callback) override {
    ADD_FAILURE() << "no payloads travel";
    return 0;
  }
  void cancel(const uuid& to, link::request_number n) override { cancelled.emplace_back(to, n); }
  bool up(const uuid& node) const override { return linked.contains(node); }
  void set_members(const std::vector<peer_address>&) override {}

  std::deque<note> calls; // numbered from 1
  std::vector<std::pair<uuid, link::request_number>> cancelled;
  std::set<uuid> linked;
};

} // namespace cairn::actors
