package cli

import (
	"github.com/spf13/cobra"
)

// bindDirectory adds the flag that takes the things of one directory only.
func (s *session) bindDirectory(command *cobra.Command, directory *string) {
	command.Flags().StringVar(directory, "directory", "", "of this directory only")
	_ = command.RegisterFlagCompletionFunc("directory", func(command *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return s.completingDirectories()(command, nil, typed)
	})
}

// expect returns an error that says which directories there are, when a directory is named that does not exist.
func (c *cluster) expect(command *cobra.Command, directory string) error {
	if directory == "" {
		return nil
	}
	_, err := c.directory(command.Context(), directory)
	return err
}
