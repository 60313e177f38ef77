// A source of step fields for the tests of this room, which stands below the
// steps: a few kinds that between them use every type of field.
#ifndef TESTS_UNIT_SCRIPT_STEP_KINDS_H_
#define TESTS_UNIT_SCRIPT_STEP_KINDS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/roster.h"
#include "ceremony/script/script.h"

class StepKinds final : public ceremony::script::StepFieldSource {
 public:
  StepKinds() {
    using ceremony::script::Field;
    using ceremony::script::FieldTable;
    using ceremony::script::Reference;
    const auto token = [] { return Field::Id("token", "the token").Refers(Reference::kToken); };
    const auto key = [] { return Field::Id("key", "the key").Refers(Reference::kKey); };
    const auto by = [] { return Field::Choice("by", ceremony::script::RoleChoices(), "who"); };
    Add({"room.attend",
         "Takes attendance.",
         {Field::Map("people", ceremony::script::RoleShape(), Field::Integer("least", 1, 100, "at least"), 1, 5,
                     "who must be there")},
         {}});
    Add({"room.depart",
         "Everybody leaves.",
         {Field::List("roles", Field::Choice("role", ceremony::script::RoleChoices(), "a role"), 1, 5, "who may leave")
              .Unique()
              .Optional()},
         {}});
    Add({"room.clock",
         "Compares clocks.",
         {Field::Text("source", "the other clock"),
          Field::Integer("tolerance_seconds", 0, 3600, "most difference").Optional()},
         {}});
    Add({"room.confirm",
         "Asks for a word.",
         {by(), Field::Prose("statement", "what is confirmed"), Field::Id("word", "the word to type").Default("yes")},
         {}});
    Add({"room.record",
         "Takes facts.",
         {by(), Field::List("facts",
                            Field::Table("fact",
                                         {"fact",
                                          "A fact.",
                                          {Field::Id("name", "its name"), Field::Text("label", "its words"),
                                           Field::Regex("pattern", "what it looks like"),
                                           Field::Text("example", "one of them").Optional()},
                                          {}},
                                         "a fact"),
                            1, 20, "the facts")},
         {}});
    Add({"document.lodge",
         "Takes a document.",
         {Field::Path("file", "the document"), Field::Id("name", "its name").Refers(Reference::kArtefact),
          Field::Id("kind", "what it is")},
         {}});
    Add({"token.commission", "Initialises a token.", {token()}, {}});
    Add({"token.verify", "Looks at a token.", {token()}, {}});
    Add({"key.generate",
         "Makes a key.",
         {token(), key(), Field::Choice("algorithm", {{"ec-p256", ""}, {"rsa-4096", ""}}, "what kind"),
          Field::Choice("usage", {{"sign", ""}, {"wrap", ""}}, "what for"),
          Field::Boolean("extractable", "whether it can be cloned").Default(false)},
         {}});
    Add({"cert.self-sign",
         "Certifies a key by itself.",
         {token(), key(), Field::Id("profile", "the profile").Refers(Reference::kProfile),
          Field::Id("certificate", "the artefact").Refers(Reference::kArtefact)},
         {}});
    Add({"key.destroy",
         "Destroys copies.",
         {key(),
          Field::List("tokens", Field::Id("token", "a token").Refers(Reference::kToken), 1, 10, "where").Unique(),
          Field::Date("hold_until", "not before").Optional(), Field::Digest("spki", "which key").Optional()},
         {{"hold_until", "spki"}}});
  }

  const ceremony::script::FieldTable* FieldsOf(std::string_view kind) const override {
    const auto found = tables_.find(std::string(kind));
    return found == tables_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> Kinds() const override { return names_; }

 private:
  void Add(ceremony::script::FieldTable table) {
    names_.push_back(table.name);
    tables_.emplace(names_.back(), std::move(table));
  }
  std::vector<std::string> names_;
  std::map<std::string, ceremony::script::FieldTable> tables_;
};

#endif  // TESTS_UNIT_SCRIPT_STEP_KINDS_H_
