#pragma once

#include <functional>
#include <string>

#include "dnsd/admin/mesh.h"

namespace meshdns::admin {

/// Counts its calls and answers with nothing.
class CountingMesh : public Mesh {
 public:
  void apply(const v1::ApplyRequest&, std::function<void(v1::ApplyReply)> done) override {
    ++calls;
    done({});
  }
  void erase(const v1::DeleteRequest&, std::function<void(Result<v1::DeleteReply>)> done) override {
    ++calls;
    done(v1::DeleteReply());
  }
  void list(const v1::ListRequest&, std::function<void(Result<v1::ListReply>)> done) override {
    done(counted<v1::ListReply>());
  }
  Result<v1::ExplainReply> explain(const v1::ExplainRequest&) override { return counted<v1::ExplainReply>(); }
  void simulate(const v1::SimulateRequest&, std::function<void(Result<v1::SimulateReply>)> done) override {
    ++calls;
    done(v1::SimulateReply());
  }
  void events(const v1::EventsRequest&, std::function<void(Result<v1::EventsReply>)> done) override {
    ++calls;
    done(v1::EventsReply());
  }
  void lint(const v1::LintRequest&, std::function<void(Result<v1::LintReply>)> done) override {
    done(counted<v1::LintReply>());
  }
  void status(std::function<void(Result<v1::StatusReply>)> done) override { done(counted<v1::StatusReply>()); }
  Result<v1::ApproveShrinkReply> approve_shrink() override { return counted<v1::ApproveShrinkReply>(); }
  void capture(const v1::CaptureRequest&, const std::string&,
               std::function<void(Result<v1::CaptureReply>)> done) override {
    ++calls;
    done(v1::CaptureReply());
  }
  Result<v1::TokenReply> token(const v1::TokenRequest&) override { return counted<v1::TokenReply>(); }
  bool ready() override { return true; }
  void metrics(std::function<void(Result<std::string>)> done) override { done(std::string()); }

  int calls = 0;

 private:
  template <class T>
  T counted() {
    ++calls;
    return {};
  }
};

}  // namespace meshdns::admin
