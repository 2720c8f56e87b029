#include "dnsd/app/linting.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "dnsd/explain/findings.h"

namespace meshdns::dnsd::app {
namespace {

constexpr const char* kListing = "Lint";
// The most objects that are examined for one page, even if there are few findings: clients give up after a minute.
constexpr std::uint32_t kMostObjects = 2000;

}  // namespace

/// A page that is being made, over several slices.
struct Linting::Page {
  v1::LintRequest request;
  Done done;
  PageFill fill;
  v1::LintReply reply{};
  std::uint64_t first_revision = 0;
  std::string after{};    // the key of the last object that was examined
  std::size_t given = 0;  // objects of the request that were examined
  bool more = false;      // objects are left for the next page
  std::unique_ptr<explain::Linter> linter{};

  /// Whether no further object belongs to this page. A request without limit is from a client that knows no pages.
  bool full() const { return fill.full() || (request.limit() > 0 && reply.objects() >= kMostObjects); }
  /// Examines an object, and adds its findings if all of them fit.
  /// returns: false = the page is full, and the object belongs to the next page
  bool look(const v1::Object& object) {
    std::vector<v1::Finding> findings = linter->look(object);
    std::size_t bytes = 0;
    for (const v1::Finding& finding : findings) bytes += finding.ByteSizeLong();
    const bool fits = findings.empty() || reply.findings().empty() || fill.has_room(findings.size(), bytes);
    if (!fits) return false;
    fill.count(findings.size(), bytes);
    for (v1::Finding& finding : findings) *reply.add_findings() = std::move(finding);
    reply.set_objects(reply.objects() + 1);
    return true;
  }
};

void Linting::lint(const v1::LintRequest& request, const Done& done) {
  const auto page = std::make_shared<Page>(Page{request, done, PageFill({request.limit(), bytes_})});
  page->first_revision = mesh_.catalog.revision();
  if (!request.continue_().empty()) {
    const auto token = Continue::parse(request.continue_(), kListing);
    if (!token) return done(token.error());
    page->first_revision = token->revision;
    page->after = token->after;
    page->given = static_cast<std::size_t>(parse_uint(token->after).value_or(0));
  }
  const bool runs = slices_.run([this, page](Slice& slice) { return go_on(*page, slice); });
  if (!runs) done(Error(Code::Unavailable, "too many calls at once"));
}

bool Linting::go_on(Page& page, Slice& slice) {
  if (!mesh_.names.learn(slice)) return false;
  const bool live = page.request.objects().empty();
  if (page.linter == nullptr) {
    auto names = mesh_.names.names();
    if (!live) names = std::make_shared<topology::KnownNames>(*names);  // a copy: expect() adds names
    page.linter = std::make_unique<explain::Linter>(mesh_.catalog.records(), mesh_.publisher.planner(),
                                                    mesh_.publisher.settings(), std::move(names), mesh_.clock.now());
    page.linter->set_host_rights(mesh_.catalog.host_rights());
    for (const v1::Object& object : page.request.objects()) page.linter->expect(object);
  }
  if (!(live ? look_at_live(page, slice) : look_at_given(page, slice))) return false;
  const std::string& after = live ? page.after : std::to_string(page.given);
  if (page.more) page.reply.set_continue_(Continue{kListing, page.first_revision, after}.text());
  page.done(std::move(page.reply));
  return true;
}

bool Linting::look_at_live(Page& page, Slice& slice) const {
  const auto& objects = mesh_.objects.all();
  for (auto at = objects.upper_bound(page.after); at != objects.end(); ++at) {
    page.more = page.full();
    if (page.more) return true;
    if (!slice.take()) return false;
    page.more = !page.look(at->second);
    if (page.more) return true;
    page.after = at->first;
  }
  add_contests(page.reply);
  return true;
}

void Linting::add_contests(v1::LintReply& reply) const {
  const auto add = [&reply](const std::string& object, v1::Finding::Severity severity, const std::string& message) {
    v1::Finding& finding = *reply.add_findings();
    finding.set_object(object);
    finding.set_severity(severity);
    finding.set_message(message);
  };
  std::size_t services = 0;
  for (const topology::Conflict& conflict : mesh_.publisher.conflicts()) {
    if (!conflict.object.starts_with("service ") || services++ >= answers::Locator::kMostContested) continue;
    add(conflict.object, v1::Finding::WARNING, conflict.message);
  }
  mesh_.publisher.with_table([&add](const answers::AnswerTable* table) {
    if (table == nullptr) return;
    for (const std::string& text : table->where->locator.contested) {
      add("clients", v1::Finding::WARNING, text + ": who asks from there is placed as far as they agree");
    }
  });
}

bool Linting::look_at_given(Page& page, Slice& slice) const {
  while (page.given < static_cast<std::size_t>(page.request.objects_size())) {
    page.more = page.full();
    if (page.more) return true;
    if (!slice.take()) return false;
    page.more = !page.look(page.request.objects(static_cast<int>(page.given)));
    if (page.more) return true;
    ++page.given;
  }
  return true;
}

}  // namespace meshdns::dnsd::app
