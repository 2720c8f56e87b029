// Answers that grow with the mesh: whatever the sizes of pages and slices are, the rows are the same, and no slice
// looks at more records than it may.
#include "dnsd/app/mesh_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/sim_clock.h"
#include "dnsd/app/file_role.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::dnsd::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::size_t kNodes = 7;
constexpr std::size_t kServices = 3;

class ListingTest : public testing::Test {
 protected:
  ListingTest() {
    answers::AnswerSettings settings;
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.listeners.push_back({"10.0.9.1:53", {}});
    for (std::size_t i = 0; i < kNodes; ++i) add_node("eu-1/n" + std::to_string(i));
    publisher_.configure(settings, {});
    publisher_.flush();
  }

  void add_node(const std::string& key) {
    mesh_.node(key);
    EXPECT_FALSE(catalog_.put_node(mesh_.records.nodes.at(key), clock_.now()));
    for (std::size_t i = 0; i < kServices; ++i) {
      const std::string address = IpAddress::v4(0x0A000001 + static_cast<std::uint32_t>(next_++)).text();
      put(mesh_.endpoint(key, "shop/s" + std::to_string(i), address));
    }
  }
  void put(const model::Endpoint& endpoint) {
    EXPECT_TRUE(catalog_.apply_delta(endpoint.node, {endpoint}, {}, clock_.now()).empty());
  }
  /// A virtual destination of service s0, with one piece of advice.
  void add_object(const std::string& name) {
    v1::Object object;
    object.set_api_version("meshdns.io/v1alpha1");
    object.set_kind("VirtualDestination");
    object.mutable_metadata()->set_namespace_("shop");
    object.mutable_metadata()->set_name(name);
    v1::VirtualDestinationSpec& spec = *object.mutable_virtual_destination();
    spec.add_hosts(name + ".mesh.internal");
    spec.add_services()->set_name("s0");
    auto& port = *spec.add_ports();
    port.set_name("http");
    port.set_number(80);
    port.set_protocol("TCP");
    port.set_target_port("8080");
    persistence::Objects::Change change;
    change.put.push_back(object);
    EXPECT_THAT(objects_.commit(change, clock_.now()), IsEmpty());
  }

  /// Calls until the answer is there; slices are timers.
  template <class Reply, class F>
  Result<Reply> wait_for(F call) {
    std::optional<Result<Reply>> out;
    call([&](Result<Reply> reply) { out = std::move(reply); });
    for (int i = 0; !out && i < 100000; ++i) clock_.advance(1ns);
    EXPECT_TRUE(out.has_value());
    return *std::move(out);
  }
  v1::ListReply page(MeshView& view, const v1::ListRequest& request) {
    return test::must(wait_for<v1::ListReply>([&](auto done) { view.list(request, done); }));
  }
  /// All pages as one, without what only pages have.
  v1::ListReply all(MeshView& view, const std::string& kind, std::uint32_t limit, std::size_t pages) {
    v1::ListRequest request;
    request.set_kind(kind);
    request.set_limit(limit);
    v1::ListReply out;
    std::size_t asked = 0;
    do {
      v1::ListReply next = page(view, request);
      request.set_continue_(next.continue_());
      next.clear_continue_();
      out.MergeFrom(next);
      ++asked;
    } while (!request.continue_().empty());
    EXPECT_EQ(asked, pages) << kind;
    return out;
  }
  static std::vector<std::string> keys(const v1::ListReply& reply) {
    std::vector<std::string> out;
    for (const auto& row : reply.endpoints()) out.push_back(row.key());
    for (const auto& row : reply.nodes()) out.push_back(row.key());
    for (const auto& row : reply.objects()) out.push_back(row.metadata().name());
    return out;
  }
  std::map<std::string, std::uint32_t> standings(MeshView& view) {
    const auto reply = test::must(wait_for<v1::StatusReply>([&](auto done) { view.status(done); }));
    return {reply.endpoints().begin(), reply.endpoints().end()};
  }

  test::SmallMesh mesh_;
  std::size_t next_ = 0;
  SimClock clock_;
  metrics::Registry registry_;
  catalog::Catalog catalog_;
  persistence::Objects objects_{catalog_, "eu-1/host"};
  publish::Publisher publisher_{catalog_, clock_, clock_, [](const std::function<void()>&) {}};
  RecordCounts counts_{catalog_, publisher_.planner()};
  LintNames names_{catalog_, counts_};
  Configuration configuration_;
  ProcessState process_{.configuration = configuration_};
  const MeshState mesh_state_{clock_, catalog_, objects_, publisher_, counts_, names_};
  EventLog events_{catalog_, publisher_, clock_, clock_};
  process::EventLoop loop_;  // of the hostnames, which nothing resolves here
  DescriptorBudget budget_;
  DnsService dns_{{clock_, clock_, configuration_, budget_, publisher_}};
  HostnameService hostnames_{{loop_, clock_, configuration_, catalog_, [] {}}};
  FileRole source_{{clock_, configuration_, mesh_state_, events_, [] {}}};
  const std::vector<Role*> roles_{&source_, &hostnames_, &dns_};
  const MeshView::Environment environment_{process_, mesh_state_, registry_, clock_, events_,
                                           source_,  hostnames_,  dns_,      roles_};
  MeshView view_{environment_};
  MeshView small_{environment_, {.steps = 1}};  // slices of one record
};

TEST_F(ListingTest, pages_of_any_size_have_the_same_rows_in_the_same_order) {
  for (const char* name : {"a", "b", "c"}) add_object(name);
  const std::map<std::string, std::size_t> rows = {
      {"Node", kNodes}, {"Endpoint", kNodes * kServices}, {"VirtualDestination", 3}, {"Override", 0}};
  for (const auto& [kind, count] : rows) {
    const auto whole = all(view_, kind, 0, 1);
    EXPECT_EQ(keys(whole).size(), count) << kind;
    const auto small = all(small_, kind, 1, std::max<std::size_t>(1, count));
    EXPECT_EQ(small.DebugString(), whole.DebugString()) << kind;
    EXPECT_EQ(all(view_, kind, 4, std::max<std::size_t>(1, (count + 3) / 4)).DebugString(), whole.DebugString());
  }
  EXPECT_EQ(small_.longest_slice(), 1U);
}

TEST_F(ListingTest, a_record_that_is_there_the_whole_time_is_shown_once_whatever_comes_and_goes) {
  v1::ListRequest request;
  request.set_kind("Node");
  request.set_limit(2);
  std::vector<std::string> seen;
  int pages = 0;
  const std::uint64_t begun = catalog_.revision();
  do {
    const auto next = page(small_, request);
    EXPECT_EQ(next.first_revision(), begun);
    for (const auto& key : keys(next)) seen.push_back(key);
    request.set_continue_(next.continue_());
    if (++pages == 1) {
      catalog_.withdraw("eu-1/n1", clock_.now());  // the one where the next page would begin after
      catalog_.withdraw("eu-1/n2", clock_.now());  // with which it would begin
      add_node("eu-1/n0a");                        // before the place
      add_node("eu-1/n9");                         // after it
    }
  } while (!request.continue_().empty());
  EXPECT_THAT(seen, ElementsAre("eu-1/n0", "eu-1/n1", "eu-1/n3", "eu-1/n4", "eu-1/n5", "eu-1/n6", "eu-1/n9"));
}

TEST_F(ListingTest, a_page_has_no_more_bytes_than_it_may_and_one_row_at_least) {
  Slices slices(clock_, clock_, {});
  for (const std::size_t bytes : {1UL, 200UL, 500UL}) {
    Listing listing({mesh_state_, source_, hostnames_}, slices, bytes);
    v1::ListRequest request;
    request.set_kind("Endpoint");
    std::size_t rows = 0;
    do {
      const auto next = test::must(wait_for<v1::ListReply>([&](auto done) { listing.list(request, done); }));
      request.set_continue_(next.continue_());
      EXPECT_GE(next.endpoints_size(), 1);
      std::size_t sum = 0;
      for (const auto& row : next.endpoints()) sum += row.ByteSizeLong();
      EXPECT_TRUE(sum <= bytes || next.endpoints_size() == 1) << sum;
      rows += static_cast<std::size_t>(next.endpoints_size());
    } while (!request.continue_().empty());
    EXPECT_EQ(rows, kNodes * kServices);
  }
}

TEST_F(ListingTest, one_thing_is_looked_up) {
  v1::ListRequest request;
  request.set_kind("Node");
  request.set_key("eu-1/n3");
  EXPECT_THAT(keys(page(small_, request)), ElementsAre("eu-1/n3"));
  EXPECT_EQ(page(small_, request).nodes(0).endpoints(), kServices);
  request.set_key("eu-1/n33");
  const auto missing = wait_for<v1::ListReply>([&](auto done) { view_.list(request, done); });
  EXPECT_EQ(missing.error().code(), Code::NotFound);
}

TEST_F(ListingTest, a_part_of_the_key_or_an_address_is_enough) {
  v1::ListRequest request;
  request.set_kind("Node");
  request.set_key("n3");
  EXPECT_THAT(keys(page(small_, request)), ElementsAre("eu-1/n3"));
  add_node("us-1/n3");
  EXPECT_THAT(keys(page(small_, request)), ElementsAre("eu-1/n3", "us-1/n3"));
  request.set_kind("Endpoint");
  for (const char* word : {"10.0.0.2", "10.0.0.2:8080", "shop/s1/10.0.0.2"}) {
    request.set_key(word);
    EXPECT_THAT(keys(page(small_, request)), ElementsAre("eu-1/n0/shop/s1/10.0.0.2")) << word;
  }
  request.set_key("10.0.0.2:81");
  EXPECT_FALSE(wait_for<v1::ListReply>([&](auto done) { view_.list(request, done); }));
  add_object("web");
  request.set_kind("VirtualDestination");
  request.set_key("web");
  EXPECT_THAT(keys(page(small_, request)), ElementsAre("web"));
}

TEST_F(ListingTest, what_may_be_meant_is_said) {
  v1::ListRequest request;
  request.set_kind("Node");
  request.set_key("eu-1/m3");
  const auto missing = wait_for<v1::ListReply>([&](auto done) { view_.list(request, done); });
  EXPECT_THAT(missing.error().message(), HasSubstr("(did you mean eu-1/n"));
  add_object("frontend");
  request.set_kind("VirtualDestination");
  request.set_key("frontent");
  const auto object = wait_for<v1::ListReply>([&](auto done) { view_.list(request, done); });
  EXPECT_THAT(object.error().message(), HasSubstr("(did you mean shop/frontend?)"));
}

TEST_F(ListingTest, endpoints_are_chosen_by_service_node_state_and_labels) {
  model::Endpoint& labelled = mesh_.records.endpoints.at("eu-1/n2/shop/s1/10.0.0.8");
  labelled.labels = {{"app", "web"}, {"v", "2"}};
  labelled.health.state = model::HealthState::Failing;
  put(labelled);
  const auto chosen = [&](auto choose) {
    v1::ListRequest request;
    request.set_kind("Endpoint");
    choose(request);
    return keys(page(small_, request));
  };
  EXPECT_EQ(chosen([](auto& request) { request.set_service("shop/s1"); }).size(), kNodes);
  EXPECT_EQ(chosen([](auto& request) { request.set_service("s1"); }).size(), kNodes);
  EXPECT_THAT(chosen([](auto& request) { request.set_service("1"); }), IsEmpty());
  EXPECT_EQ(chosen([](auto& request) { request.set_node("n2"); }).size(), kServices);
  EXPECT_THAT(chosen([](auto& request) { request.add_labels("v=2"); }), ElementsAre("eu-1/n2/shop/s1/10.0.0.8"));
  EXPECT_THAT(chosen([](auto& request) { request.add_labels("v=3"); }), IsEmpty());
  EXPECT_THAT(chosen([](auto& request) { request.set_state("last_resort"); }), ElementsAre("eu-1/n2/shop/s1/10.0.0.8"));
  v1::ListRequest wrong;
  wrong.set_kind("Endpoint");
  wrong.add_labels("v");
  EXPECT_EQ(wait_for<v1::ListReply>([&](auto done) { view_.list(wrong, done); }).error().code(), Code::InvalidArgument);
  wrong.clear_labels();
  wrong.set_state("last-resort");
  EXPECT_THAT(wait_for<v1::ListReply>([&](auto done) { view_.list(wrong, done); }).error().message(),
              HasSubstr("did you mean last_resort?"));
  wrong.set_kind("Node");
  wrong.set_state("serving");
  EXPECT_EQ(wait_for<v1::ListReply>([&](auto done) { view_.list(wrong, done); }).error().code(), Code::InvalidArgument);
}

TEST_F(ListingTest, clusters_without_an_object_are_told_too) {
  add_node("us-1/n0");
  v1::ListRequest request;
  request.set_kind("Cluster");
  const auto reply = page(small_, request);
  ASSERT_EQ(reply.undeclared_size(), 2);
  EXPECT_EQ(reply.undeclared(0).name(), "eu-1");
  EXPECT_EQ(reply.undeclared(0).nodes(), kNodes);
  EXPECT_EQ(reply.undeclared(1).name(), "us-1");
  request.set_key("us-1");
  EXPECT_EQ(page(small_, request).undeclared_size(), 1);
}

TEST_F(ListingTest, endpoints_are_counted_by_service_in_slices) {
  ServiceCounts counts;
  const topology::AddressClaims claims(catalog_.records());
  Slices slices(clock_, clock_, {.steps = 1});
  bool done = false;
  ASSERT_TRUE(slices.run([&](Slice& slice) { return done = counts.look(catalog_.records(), claims, slice); }));
  while (!done) clock_.advance(1ns);
  EXPECT_EQ(slices.longest(), 1U);
  ASSERT_EQ(counts.services().size(), kServices);
  EXPECT_EQ(counts.services().at({"shop", "s1"})[static_cast<std::size_t>(topology::Standing::Serving)], kNodes);
}

TEST_F(ListingTest, a_token_of_something_else_is_refused) {
  v1::ListRequest request;
  request.set_kind("Node");
  request.set_limit(1);
  const std::string token = page(view_, request).continue_();
  for (const std::string& wrong : {std::string("x"), token + "0", "Endpoint" + token.substr(4)}) {
    request.set_continue_(wrong);
    const auto reply = wait_for<v1::ListReply>([&](auto done) { view_.list(request, done); });
    ASSERT_FALSE(reply) << wrong;
    EXPECT_EQ(reply.error().code(), Code::InvalidArgument);
  }
}

TEST_F(ListingTest, endpoints_are_counted_as_they_change) {
  EXPECT_THAT(standings(small_), ElementsAre(Pair("serving", kNodes * kServices)));
  model::Endpoint failing = mesh_.records.endpoints.begin()->second;
  failing.health.state = model::HealthState::Failing;
  put(failing);
  catalog_.set_status("eu-1/n5", {.silent = true, .since = clock_.now()}, clock_.now());
  catalog_.withdraw("eu-1/n6", clock_.now());
  EXPECT_THAT(standings(small_), ElementsAre(Pair("failing", 1U), Pair("serving", 14U), Pair("silent", 3U)));
  model::Override down;
  down.meta.name = "d";
  down.action = model::Action::Down;
  down.target = {model::TargetKind::Node, "n1"};
  catalog_.put_override(down, clock_.now());
  EXPECT_THAT(standings(small_),
              ElementsAre(Pair("failing", 1U), Pair("out", 3U), Pair("serving", 11U), Pair("silent", 3U)));
  catalog_.erase_override("d", clock_.now());
  EXPECT_EQ(standings(small_), standings(view_));
  EXPECT_EQ(small_.longest_slice(), 1U);
  EXPECT_EQ(counts_.nodes_of("eu-1"), kNodes - 1);
  EXPECT_EQ(counts_.endpoints_of("eu-1/n6"), 0U);
}

// Guards the scrape: what did not change is not looked at again.
TEST_F(ListingTest, a_status_costs_what_changed) {
  Slice first(clock_, 1000, 1s);
  EXPECT_TRUE(counts_.settle(counts_.round(), first));
  EXPECT_EQ(first.taken(), kNodes * (kServices + 1));
  Slice quiet(clock_, 1000, 1s);
  EXPECT_TRUE(counts_.settle(counts_.round(), quiet));
  EXPECT_EQ(quiet.taken(), 0U);
  model::Endpoint failing = mesh_.records.endpoints.begin()->second;
  failing.health.state = model::HealthState::Failing;
  put(failing);
  Slice one(clock_, 1000, 1s);
  EXPECT_TRUE(counts_.settle(counts_.round(), one));
  EXPECT_EQ(one.taken(), kServices + 1) << "its node";
}

TEST_F(ListingTest, lint_has_the_same_findings_in_pages) {
  for (const char* name : {"a", "b", "c", "d"}) add_object(name);
  const auto lint = [&](MeshView& view, std::uint32_t limit, v1::LintRequest request) {
    request.set_limit(limit);
    v1::LintReply out;
    do {
      const auto next = test::must(wait_for<v1::LintReply>([&](auto done) { view.lint(request, done); }));
      request.set_continue_(next.continue_());
      out.mutable_findings()->MergeFrom(next.findings());
      out.set_objects(out.objects() + next.objects());
    } while (!request.continue_().empty());
    return out.DebugString();
  };
  const std::string live = lint(view_, 0, {});
  EXPECT_THAT(live, HasSubstr("A and AAAA carry no port"));
  EXPECT_THAT(live, HasSubstr("objects: 4"));
  EXPECT_EQ(lint(small_, 1, {}), live);
  v1::LintRequest given;
  for (const auto& [key, object] : objects_.all()) *given.add_objects() = object;
  EXPECT_EQ(lint(view_, 0, given), live);
  EXPECT_EQ(lint(small_, 1, given), live);
  EXPECT_EQ(small_.longest_slice(), 1U);
}

TEST_F(ListingTest, a_survey_in_small_slices_says_the_same) {
  v1::SimulateRequest request;
  v1::OverrideSpec& spec = *request.add_overrides();
  spec.set_action("Down");
  spec.mutable_target()->set_node("eu-1/n2");
  const auto survey = [&](MeshView& view) {
    return test::must(wait_for<v1::SimulateReply>([&](auto done) { view.simulate(request, done); })).DebugString();
  };
  const std::string whole = survey(view_);
  EXPECT_THAT(whole, HasSubstr("hosts_changed: 3"));
  EXPECT_EQ(survey(small_), whole);
  EXPECT_LE(small_.longest_slice(), Simulations::kSteps);
}

TEST_F(ListingTest, too_many_calls_at_once_are_refused) {
  Slices slices(clock_, clock_, {.steps = 1, .jobs = 2});
  Listing listing({mesh_state_, source_, hostnames_}, slices);
  v1::ListRequest request;
  request.set_kind("Endpoint");
  int answered = 0;
  int refused = 0;
  for (int i = 0; i < 3; ++i) {
    listing.list(request, [&](const Result<v1::ListReply>& reply) { ++(reply ? answered : refused); });
  }
  EXPECT_EQ(refused, 1);
  clock_.advance(1s);
  EXPECT_EQ(answered, 2);
}

}  // namespace
}  // namespace meshdns::dnsd::app
