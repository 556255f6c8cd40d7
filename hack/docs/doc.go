// Package docs holds the documentation to what is true. Its specs read README.md and all pages of docs, and prove each block of
// them by what its language says:
//
//	console  a session in a shell: `$ ` before a command, then what it prints. Each command must be one that there is, with
//	         flags, files, targets, values and kinds that there are. The commands of a chapter then run one after the other, on
//	         a real control plane, and must print what is shown, where … stands for more: a scene says what comes before them.
//	         They must succeed, unless an error is shown, and are answered what stands behind a shown [y/N]. With the word
//	         `beside` behind the language, a command keeps running in a shell of its own. With the word `elsewhere`, nothing is run,
//	         because the program is not to be had where the specs run, or because CI runs it by itself.
//	yaml     manifests, which a real API server must accept; or, as the comment in its first line says, values.yaml of the
//	         chart or a kustomization.yaml, which must render.
//	json     and jsonl, which must be well-formed.
//	mermaid  a drawing, and so is a block without a language, which must hold no command.
//
// Blocks in other languages fail. Links must lead somewhere, and what is named as `code` must exist where it has the form of a
// command or of a file of this repository.
package docs
