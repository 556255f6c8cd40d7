package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// exportPage is how many resources are asked for at once.
const exportPage = 200

func (s *session) exportCommand() *cobra.Command {
	r := &caller{}
	command := s.calling(&cobra.Command{
		Use:   "export NAME",
		Short: "Print all users and groups of a directory as one SCIM ListResponse",
		Long: `Print all users and groups of a directory as the JSON of one SCIM ListResponse (RFC 7644 §3.4.2): exactly what the SCIM
server tells an identity provider, read from it page by page by cursor, so that changes meanwhile move nothing to another
page. The token needs the scope Read. Resources of origin App are among them if the identity provider may import them.`,
	}, r, func(ctx context.Context, _ *cluster, _ *v1alpha1.ScimDirectory, e endpoint) error {
		if s.format != formatTable && s.format != formatJSON {
			return errors.New("an export is JSON: leave out -o")
		}
		return e.export(ctx)
	})
	return command
}

// export streams every resource, and counts them in the end.
func (e endpoint) export(ctx context.Context) error {
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprint(out, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[`)
	total := 0
	for _, kind := range []string{"/Users", "/Groups"} {
		for cursor, more := "", true; more; {
			var page struct {
				Resources  []json.RawMessage `json:"Resources"`
				NextCursor string            `json:"nextCursor"`
			}
			query := url.Values{"count": {strconv.Itoa(exportPage)}, "cursor": {cursor}}
			if err := e.get(ctx, kind+"?"+query.Encode(), &page); err != nil {
				_ = out.Flush() // what is printed is no JSON, which tells programs, too, that it is not all
				return fmt.Errorf("after %d resources: %w", total, err)
			}
			for _, resource := range page.Resources {
				separator := ",\n"
				if total == 0 {
					separator = "\n"
				}
				var line bytes.Buffer
				if err := json.Compact(&line, resource); err != nil {
					return err
				}
				fmt.Fprint(out, separator, line.String())
				total++
			}
			cursor, more = page.NextCursor, page.NextCursor != ""
		}
	}
	fmt.Fprintf(out, "\n],\"totalResults\":%d}\n", total)
	return out.Flush()
}
